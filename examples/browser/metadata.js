// The metadata of an ONNX file, which onnxruntime-web does not tell: field 14 of the file's outermost message.
export function metadata(file) {
  const told = {};
  for (const [field, entry] of fields(file)) {
    if (field !== 14) continue;
    const [key, value] = [...fields(entry)].map(([, text]) => new TextDecoder().decode(text));
    told[key] = value ?? "";
  }
  return told;
}

// number and bytes of the fields of a message that have a length
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 2) {
      const length = varint();
      yield [Math.floor(tag / 8), bytes.subarray(at, (at += length))];
    } else if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else throw new Error("This is no ONNX file.");
  }
}
