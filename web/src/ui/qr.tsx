import { useEffect, useState } from "preact/hooks";

/** A QR code drawn as one path; its text stands beside it for those who do not scan. */
export function Qr({ text, label }: { text: string; label: string }) {
  const [drawn, setDrawn] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    let wanted = true;
    void import("uqr").then(({ encode }) => {
      if (!wanted) return;
      const { size, data } = encode(text, { ecc: "M", border: 2 });
      const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
      setDrawn({ size, path });
    });
    return () => { wanted = false; };
  }, [text]);
  return (
    <figure class="qr">
      {drawn !== null && (
        <svg role="img" aria-label={label} viewBox={`0 0 ${drawn.size} ${drawn.size}`} shape-rendering="crispEdges">
          <rect width={drawn.size} height={drawn.size} fill="#fff" />
          <path d={drawn.path} fill="#000" />
        </svg>
      )}
      <figcaption class="hint" aria-hidden="true">{label}</figcaption>
    </figure>
  );
}
