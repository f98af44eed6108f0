/** Images and pages that tasks made. Neither can run code. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ImageData } from "../lib/value-kind.ts";

/** An image, on a ground that shows where it is transparent. */
export function ImageView({
  image,
  label = "The value as an image",
}: {
  image: ImageData;
  label?: string;
}): JSX.Element {
  const [url, setUrl] = useState<string | undefined>(undefined);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([image.data], { type: image.type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [image]);
  return <div class="image-view">{url !== undefined && <img src={url} alt={label} />}</div>;
}

/**
 * A page, in a frame of its own origin. The frame's document lets none of the page's scripts run, but its styles, which
 * `srcdoc` would not: such a frame has the policy of the page around it.
 */
export function PageView({ text }: { text: string }): JSX.Element {
  const frame = useRef<HTMLIFrameElement>(null);
  // The frame has an opaque origin, which cannot be named.
  const show = (): void => frame.current?.contentWindow?.postMessage(text, "*");
  return (
    <iframe
      key={text}
      ref={frame}
      class="page-view"
      title="The value as a page"
      sandbox="allow-scripts"
      src="report.html"
      onLoad={show}
    />
  );
}
