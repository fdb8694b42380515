// The server gives the browser marked's own module under this name.
export * from "marked";
