// Makes one attempt, and says what came of it.
import w from "./world.json" with { type: "json" };
import { attempts } from "./attempts.js";

addEventListener("unhandledrejection", (event) => event.preventDefault());
addEventListener("error", (event) => event.preventDefault());

const own = new URL(".", import.meta.url).pathname.replace(/\/$/, "");
export const world = { ...w, own };

export const words = (name, place) => `${place}-${name}.`;

export async function answer(name, place) {
  const attempt = attempts[name];
  if (!attempt) return "refused: no such attempt";
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve("refused: it took too long"), 20_000);
  });
  try {
    return String(await Promise.race([attempt(world, words(name, place)), late]));
  } catch (error) {
    return `refused: ${error?.name}: ${error?.message}`;
  } finally {
    clearTimeout(timer);
  }
}
