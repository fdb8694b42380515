import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

const root = import.meta.dirname;

/** The floors, from the lowest up: a folder imports only what stands before it (ARCHITECTURE.md). */
const FLOORS = ["core", "engine", "server", "agent", "tools"];

const upward = FLOORS.slice(0, -1).map((floor, index) => ({
  target: `./src/${floor}`,
  from: FLOORS.slice(index + 1).map((above) => `./src/${above}`).concat("./src/index.ts"), // prettier-ignore
  message: `src/${floor} imports only what stands below it: ${FLOORS.slice(0, index + 1).join(", ")}.`,
}));

const zones = [
  ...upward,
  { target: "./src/agent", from: "./src/engine", message: "The agent reaches a model over HTTP, so that any OpenAI-compatible server can serve it." },
  { target: "./src/tools", from: "./src/engine", message: "Commands use the library's entry, src/index.ts." },
  { target: "./src/server", from: "./src/engine/mlx", message: "The server knows models, not tensors." },
];

export default defineConfig(
  globalIgnores(["node_modules/", "dist/", "dist.part-*/", "build/", "coverage/", "trajectories/", "venv/", "models/", "training/"]),
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      // An interface may promise what one implementation has at once.
      "@typescript-eslint/require-await": "off",
      // Control characters are what some of our expressions look for.
      "no-control-regex": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
    },
  },
  {
    // Run by Node as they stand.
    files: ["scripts/**/*.js", "bin/**/*.js", "src/**/*.js", "*.config.js"],
    languageOptions: { globals: { process: "readonly", console: "readonly", performance: "readonly", Buffer: "readonly", setTimeout: "readonly", setInterval: "readonly", clearInterval: "readonly", clearTimeout: "readonly", URL: "readonly" } },
  },
  {
    files: ["src/**/*.ts"],
    plugins: { "import-x": importX },
    settings: { "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".js", ".json"], extensionAlias: { ".js": [".ts", ".js"] } })] },
    rules: {
      "import-x/no-restricted-paths": ["error", { basePath: root, zones }],
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
    },
  },
  {
    // Commands print; the rest is a library.
    files: ["src/**/*.ts"],
    // The engine's process is a program of its own.
    ignores: ["src/tools/**", "src/engine/host/main.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "CallExpression[callee.object.name='process'][callee.property.name='exit']", message: "A library never ends the process; set process.exitCode in src/tools." },
      ],
    },
  },
  {
    // The addon has one face.
    files: ["src/**/*.ts"],
    ignores: ["src/engine/mlx/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [{ regex: "(/native/|\\.node$|/engine/mlx/native\\.js$|/mlx/native\\.js$)", message: "Only src/engine/mlx talks to the native addon." }] }] },
  },
);
