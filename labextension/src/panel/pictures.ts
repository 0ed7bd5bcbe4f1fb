/** Pictures that a user gives: by paste, by drop, from a file. */

/** What the server of Jupyter lets through in one message is 10 MB; more than this is made smaller. */
const LARGEST = 4_000_000;
/** In pixels; no model sees more. */
const LONG_EDGE = 2576;

/** The pictures of a paste or a drop; none if it is something else. */
export function picturesOf(data: DataTransfer | null): File[] {
  return Array.from(data?.files ?? []).filter(file => file.type.startsWith('image/'));
}

/** The bytes of a picture; of a very large one those of a smaller copy. */
export async function bytesOf(file: Blob): Promise<ArrayBuffer> {
  return (file.size <= LARGEST ? file : await smaller(file)).arrayBuffer();
}

async function smaller(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONG_EDGE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const made = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/jpeg', 0.9));
  if (!made) {
    throw new Error('the picture is too large');
  }
  return made;
}
