import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['lib', 'test-build', 'node_modules', '*.mjs'] },
  eslint.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ['tsconfig.json', 'test/tsconfig.json'] }
    },
    rules: {
      'eqeqeq': 'error',
      // What is left behind of an object is named, so that the rest is the rest.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // A signal of Lumino is given the method and, beside it, whose it is.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'off'
    }
  },
  {
    files: ['test/**'],
    // node:test gives a promise that nobody has to wait for.
    rules: { '@typescript-eslint/no-floating-promises': 'off' }
  }
);
