// Bundles the tests that need JupyterLab's own models, which node cannot load as they are.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { rspack } from '@rspack/core';

const built = path.join(import.meta.dirname, 'test-build');
const tests = (await readdir(path.join(built, 'test/lab'))).filter(name =>
  name.endsWith('.test.js')
);
const compiler = rspack({
  mode: 'development',
  devtool: false,
  target: 'node',
  entry: Object.fromEntries(tests.map(name => [`lab-${name}`, path.join(built, 'test/lab', name)])),
  output: { path: path.join(built, 'test'), filename: '[name]' },
  externals: { jsdom: 'commonjs jsdom' },
  module: {
    parser: { javascript: { exportsPresence: false, importMeta: false } },
    rules: [
      { test: /\.svg$/, type: 'asset/source' },
      { test: /\.css$/, type: 'asset/source' }
    ]
  },
  performance: { hints: false }
});
compiler.run((error, stats) => {
  if (error || stats?.hasErrors()) {
    console.error(error ?? stats?.toString({ all: false, errors: true }));
    process.exitCode = 1;
  }
  compiler.close(() => undefined);
});
