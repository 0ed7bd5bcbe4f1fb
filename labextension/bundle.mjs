// Builds the panel as one module for anywidget, where JupyterLab's extension is not.
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { rspack } from '@rspack/core';

const here = import.meta.dirname;
const out = path.join(here, '../claude_magic/panel/static');

await mkdir(out, { recursive: true });
await copyFile(path.join(here, 'style/panel.css'), path.join(out, 'panel.css'));
const compiler = rspack({
  mode: process.argv[2] ?? 'production',
  devtool: false,
  entry: path.join(here, 'lib/panel/render.js'),
  output: { path: out, filename: 'panel.js', module: true, library: { type: 'module' } },
  experiments: { outputModule: true },
  performance: { hints: false }
});
compiler.run((error, stats) => {
  if (error || stats?.hasErrors()) {
    console.error(error ?? stats?.toString());
    process.exitCode = 1;
  }
  compiler.close(() => undefined);
});
