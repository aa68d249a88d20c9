export const greeting = "Hello from main";
