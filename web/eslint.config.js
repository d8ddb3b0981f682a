import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/"] },
  {
    files: ["src/**/*.{ts,tsx}", "dev/**/*.ts", "test/**/*.{ts,tsx}", "vite.config.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { "react-hooks": hooks },
    languageOptions: { parserOptions: { project: ["./tsconfig.dev.json"], tsconfigRootDir: import.meta.dirname } },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "max-lines": ["error", 600],
    },
  },
  {
    // One door to the network: everything that leaves the browser leaves through src/api.ts.
    files: ["src/**/*.{ts,tsx}"],
    ignores: ["src/api.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["fetch", "XMLHttpRequest", "WebSocket", "EventSource"].map((name) => ({ name, message: "Use src/api.ts." })),
        ...["localStorage"].map((name) => ({ name, message: "Use src/remember.ts: nothing personal is ever stored." })),
      ],
      "no-restricted-properties": ["error", { object: "navigator", property: "sendBeacon", message: "Use src/api.ts." }],
    },
  },
);
