import { LabIcon } from '@jupyterlab/ui-components';

/** A speech bubble, filled as JupyterLab's own icons are. */
export const chatIcon = new LabIcon({
  name: 'claude-magic:chat',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1' +
    '-2 2h-7l-5 4v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm0 2v10h6v2l2.500-2H20V5H4zm3 2h10v2H7V7zm0 ' +
    '4h7v2H7v-2z"/></svg>'
});

/** The same with a pen, for a cell. */
export const cellIcon = new LabIcon({
  name: 'claude-magic:cell',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<path class="jp-icon3" fill="#616161" d="M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-7l-5 4v-4H4a2 ' +
    '2 0 0 1-2-2V5a2 2 0 0 1 2-2zm0 2v10h6v2l2.500-2H20V5H4zm7 1h2v3h3v2h-3v3h-2v-3H8V9h3V6z"/></svg>'
});
