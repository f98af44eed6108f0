/** Bytes as hexadecimal digits and text. */
import type { JSX } from "preact";
import { byteSize } from "../lib/format.ts";
import { VirtualList } from "./virtual-rows.tsx";

const BYTES_A_ROW = 16;

/** The bytes. */
export function HexView({ bytes }: { bytes: Uint8Array }): JSX.Element {
  return (
    <>
      <VirtualList count={Math.ceil(bytes.length / BYTES_A_ROW)} rowHeight={20} label="Bytes" class="hex">
        {(index) => {
          const row = bytes.subarray(index * BYTES_A_ROW, (index + 1) * BYTES_A_ROW);
          return (
            <>
              <span class="muted">{(index * BYTES_A_ROW).toString(16).padStart(8, "0")}</span>
              <span>
                {Array.from(row, (byte) => byte.toString(16).padStart(2, "0"))
                  .join(" ")
                  .padEnd(47)}
              </span>
              <span class="muted">
                {Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join(
                  "",
                )}
              </span>
            </>
          );
        }}
      </VirtualList>
      <p class="hint">{byteSize(bytes.length)}</p>
    </>
  );
}
