/** A text of at most so many bytes of UTF-8, cut at the end of a character. */
export function clipped(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) {
    return text;
  }
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) {
    return text;
  }
  let length = maxBytes;
  while (length > 0 && ((bytes[length] as number) & 0xc0) === 0x80) {
    length--;
  }
  return bytes.toString("utf8", 0, length);
}

/** A protobuf duration of whole microseconds. */
export function durationFromUs(us: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(us / 1_000_000)), nanos: (us % 1_000_000) * 1000 };
}
