const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
};

/** Return the media type of a path by its ending. */
export function contentType(path: string): string {
  return TYPES[path.split(".").pop() ?? ""] ?? "application/octet-stream";
}
