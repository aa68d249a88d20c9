// An app that reads what its build left behind.
const read = (path: string) => {
  try {
    return Deno.readTextFileSync(new URL(path, import.meta.url));
  } catch (error) {
    return String(error);
  }
};

Deno.serve(() =>
  Response.json({
    "left-link": read("left-link"),
    "left-folder": read("left-folder/secret.txt"),
    "left-hard": read("left-hard"),
  })
);
