// Binary frames as the service sends them (`ectopy.wire.frames`), and samples in mV (`ectopy.wire.form`).

const MISSING = -32768;
const TO_MV = { mV: 1, uV: 1e-3, V: 1e3, unknown: 1 };
const MAGIC = 0x31544345; // "ECT1", little-endian
const HEAD = 32;

/** The chunks of a frame. Their CRC is left alone: TCP has its own, and a page sends nothing on. */
export function chunksOf(buffer) {
  const view = new DataView(buffer);
  const chunks = [];
  let at = 0;
  while (at < buffer.byteLength) {
    if (view.getUint32(at, true) !== MAGIC) throw new Error("no frame of samples");
    const begin = at + HEAD + view.getUint8(at + 4);
    const size = view.getUint32(at + 24, true);
    chunks.push({
      epoch: view.getUint32(at + 8, true),
      first: Number(view.getBigUint64(at + 12, true)),
      n: view.getUint32(at + 20, true),
      bytes: buffer.slice(begin, begin + size), // a copy: numbers must be aligned
    });
    at = begin + size;
  }
  return chunks;
}

/** Stored bytes as one Float32Array a lead, in mV; NaN where a sample is missing. */
export function decode(epoch, bytes) {
  const n = epoch.leads.length;
  const whole = epoch.kind === "int16";
  const stored = whole ? new Int16Array(bytes) : new Float32Array(bytes);
  const toMv = TO_MV[epoch.unit] / (whole ? epoch.gain : 1);
  return epoch.leads.map((_, lead) => {
    const values = new Float32Array(stored.length / n);
    for (let i = 0, at = lead; i < values.length; i++, at += n) {
      const raw = stored[at];
      if (!whole) values[i] = raw * toMv;
      else values[i] = raw === MISSING ? NaN : (raw - epoch.offset) * toMv;
    }
    return values;
  });
}
