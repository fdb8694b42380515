/** What `serve`, and the commands that show it in their help, use where nothing is said. Light to import: no HTTP library behind it. */

export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 8000;
/** The models shipped with the package: one that sees, one that hears. */
export const DEFAULT_MODEL = "tiny";
export const DEFAULT_SPEECH_MODEL = "hear";
