// A small Deno app: a page, an image and a JSON endpoint.
import { greeting } from "./lib/greeting.ts";
import { contentType } from "./lib/content_type.ts";

const page = await Deno.readTextFile(new URL("./static/index.html", import.meta.url));

Deno.serve(async (request) => {
  const url = new URL(request.url);
  if (url.pathname === "/") {
    return new Response(page.replaceAll("{{greeting}}", greeting), {
      headers: { "content-type": "text/html; charset=utf-8" },
    });
  }
  if (url.pathname === "/api/hello") {
    return Response.json({ greeting, url: url.href });
  }
  if (["/style.css", "/logo.svg", "/dot.png"].includes(url.pathname)) {
    const file = await Deno.open(new URL(`./static${url.pathname}`, import.meta.url));
    return new Response(file.readable, {
      headers: { "content-type": contentType(url.pathname) },
    });
  }
  return new Response("Not found\n", { status: 404 });
});
