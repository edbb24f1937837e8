import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/lit-html.js"] },
  js.configs.recommended,
  {
    files: ["**/order_events/web/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      // Every inserted text goes through lit-html or a text node.
      "no-restricted-properties": [
        "error",
        { property: "innerHTML" },
        { property: "outerHTML" },
        { property: "insertAdjacentHTML" },
      ],
      "no-restricted-syntax": ["error", { selector: "CallExpression[callee.property.name='setAttribute'][arguments.0.value='style']", message: "The content security policy refuses inline styles." }],
    },
  },
  { files: ["**/service-worker.js"], languageOptions: { globals: globals.serviceworker } },
  { files: ["**/pcm-worklet.js"], languageOptions: { globals: globals.audioWorklet } },
];
