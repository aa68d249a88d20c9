// Attempts of an app: one for each path.
import { answer } from "./answering.js";

Deno.serve(async (request) => {
  const name = new URL(request.url).pathname.slice(1);
  return new Response(await answer(name, "app"));
});
