import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist', 'coverage', '.stryker', '.runtimes', '.interop', '.bench'] },
  tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  {
    rules: {
      // `(event) => this.#onEvent(event)` is a listener, not a mistake.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      // Errors of the program's own signals and callbacks pass through as they are.
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A parameter for tests only is an overload of its own, marked @internal, which the published declarations leave out.
      '@typescript-eslint/unified-signatures': ['error', { ignoreOverloadsWithDifferentJSDoc: true }],
      'no-console': 'error'
    }
  },
  { files: ['test/**', 'docs/**', '*.config.*'], rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'no-console': 'off' } },
  // What the official SDK calls deprecated is what the legacy era is made of.
  { files: ['test/**'], rules: { '@typescript-eslint/no-deprecated': 'off' } },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] }
)
