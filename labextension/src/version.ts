/** Of the Python package and of this extension; a test holds all three together. */
export const VERSION = '0.1.0';
