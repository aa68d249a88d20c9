const words: string = "built by Vite";
document.body.textContent = words;
