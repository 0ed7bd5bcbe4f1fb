/** Alt text on what a notebook shows: JupyterLab itself puts none on the pictures of outputs. */

import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { LONGEST } from '../alt';
import { isObject } from '../messages';

const PICTURE = /^image\//;
/** What a browser draws: it is described as a whole. */
const CHART = /^application\/vnd\.(?:plotly|vega|vegalite)\b/;
const HTML = 'text/html';
/** What JupyterLab has an image in HTML say that says nothing itself. */
const NO_ALT = 'Image';

/** Have whatever `rendermime` draws from now on bear the alt text in its output's metadata. */
export function withAlt(rendermime: IRenderMimeRegistry): void {
  const types = rendermime.mimeTypes.filter(
    type => PICTURE.test(type) || CHART.test(type) || type === HTML
  );
  for (const type of types) {
    const factory = rendermime.getFactory(type)!;
    const createRenderer = (options: IRenderMime.IRendererOptions): IRenderMime.IRenderer =>
      described(factory.createRenderer(options), type);
    rendermime.addFactory(
      { safe: factory.safe, mimeTypes: [type], createRenderer },
      rendermime.getRank(type)
    );
  }
}

function described(renderer: IRenderMime.IRenderer, type: string): IRenderMime.IRenderer {
  const render = renderer.renderModel.bind(renderer);
  renderer.renderModel = async model => {
    await render(model);
    describe(renderer.node, type, altOf(model, type));
  };
  return renderer;
}

/** The alt text; null where there is none, '' where the picture says nothing. */
function altOf(model: IRenderMime.IMimeModel, type: string): string | null {
  const { metadata } = model;
  const about = metadata[type];
  const found: unknown[] = [isObject(about) ? about.alt : null, metadata.alt];
  const [alt] = found.filter(each => typeof each === 'string');
  return alt === undefined ? null : alt.slice(0, LONGEST);
}

function describe(node: HTMLElement, type: string, alt: string | null): void {
  if (CHART.test(type)) {
    label(node, alt);
    return;
  }
  const images = Array.from(node.querySelectorAll('img'));
  // In HTML an image may have its own words, and several would all get the same.
  const own = type === HTML ? images.filter(({ alt }) => alt === '' || alt === NO_ALT) : images;
  if (alt !== null && (type !== HTML || own.length === 1)) {
    own.forEach(image => image.setAttribute('alt', alt));
  }
}

function label(node: HTMLElement, alt: string | null): void {
  if (alt) {
    node.setAttribute('role', 'figure');
    node.setAttribute('aria-label', alt);
  } else {
    node.removeAttribute('role');
    node.removeAttribute('aria-label');
  }
}
