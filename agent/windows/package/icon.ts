/**
 * Draws the icon: a white pulse on a dark blue square, 16, 32 and 48 pixels, as the uncompressed kind of .ico.
 * Drawn in code, so that the repository holds no file that nobody can read.
 */

const SIZES = [16, 32, 48] as const;
const BLUE = [0x1f, 0x3a, 0x5f] as const;
const WHITE = [0xff, 0xff, 0xff] as const;
/** The pulse, in parts of the side. */
const PULSE = [
  [0.1, 0.55],
  [0.32, 0.55],
  [0.43, 0.22],
  [0.57, 0.8],
  [0.68, 0.55],
  [0.9, 0.55],
] as const;
const LINE_WIDTH = 0.09;

/** Distance of a point from a stretch of line. */
function distance(
  [px, py]: readonly [number, number],
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
): number {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length));
  return Math.hypot(px - ax - along * (bx - ax), py - ay - along * (by - ay));
}

function isPulse(x: number, y: number): boolean {
  return PULSE.slice(1).some((end, index) => {
    const start = PULSE[index] ?? end;
    return distance([x, y], start, end) < LINE_WIDTH / 2;
  });
}

/** One image: BITMAPINFOHEADER, 32-bit pixels from the bottom row up, an empty mask. */
function image(size: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt32LE(40, 0);
  header.writeInt32LE(size, 4);
  header.writeInt32LE(size * 2, 8);
  header.writeUInt16LE(1, 12);
  header.writeUInt16LE(32, 14);
  const pixels = Buffer.alloc(size * size * 4);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const [x, y] = [(column + 0.5) / size, (row + 0.5) / size];
      const [red, green, blue] = isPulse(x, y) ? WHITE : BLUE;
      pixels.set([blue, green, red, 0xff], ((size - 1 - row) * size + column) * 4);
    }
  }
  return Buffer.concat([header, pixels, Buffer.alloc(Math.ceil(size / 32) * 4 * size)]);
}

/** The bytes of launchbeat.ico. */
export function icon(): Buffer {
  const images = SIZES.map(image);
  const directory = Buffer.alloc(6 + 16 * SIZES.length);
  directory.writeUInt16LE(1, 2);
  directory.writeUInt16LE(SIZES.length, 4);
  let offset = directory.length;
  for (const [index, size] of SIZES.entries()) {
    const at = 6 + 16 * index;
    const length = images[index]?.length ?? 0;
    directory.set([size, size, 0, 0], at);
    directory.writeUInt16LE(1, at + 4);
    directory.writeUInt16LE(32, at + 6);
    directory.writeUInt32LE(length, at + 8);
    directory.writeUInt32LE(offset, at + 12);
    offset += length;
  }
  return Buffer.concat([directory, ...images]);
}
