/** The project's own line drawings. They explain; the text beside them says the same. */
import type { ComponentChildren } from "preact";

interface DrawingProps {
  box: string;
  class?: string;
  children: ComponentChildren;
}

function Drawing({ box, children, ...rest }: DrawingProps) {
  return (
    <svg viewBox={box} aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {...rest}>
      {children}
    </svg>
  );
}

/** The sign of an electronic document (ICAO Doc 9303-9 §2.3): two bars and a disc. */
function ChipSymbol({ x, y, scale = 1 }: { x: number; y: number; scale?: number }) {
  return (
    <g transform={`translate(${x} ${y}) scale(${scale})`} stroke-width={2 / scale}>
      <rect x="0" y="0" width="28" height="17" rx="1.5" />
      <path d="M0 8.5h9M19 8.5h9" />
      <circle cx="14" cy="8.5" r="4.5" />
    </g>
  );
}

export function PassportDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <path d="M32 12h50a6 6 0 0 1 6 6v84a6 6 0 0 1-6 6H32z" />
      <path d="M32 12v96M25 18v96h57" opacity=".55" />
      <circle cx="60" cy="44" r="15" />
      <path d="M45 44h30M60 29c-7 8-7 22 0 30M60 29c7 8 7 22 0 30" opacity=".7" />
      <path d="M48 70h24" />
      <g class="accent"><ChipSymbol x={47} y={82} scale={0.93} /></g>
    </Drawing>
  );
}

export function CardDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <rect x="12" y="28" width="96" height="62" rx="6" />
      <rect x="22" y="44" width="24" height="32" rx="2" />
      <circle cx="34" cy="55" r="5" />
      <path d="M26 72c1-6 4-9 8-9s7 3 8 9" />
      <path d="M56 48h22M56 58h34M56 68h16" opacity=".7" />
      <path class="accent" d="M84 76h14" />
      <g class="accent"><ChipSymbol x={84} y={36} scale={0.6} /></g>
    </Drawing>
  );
}

export function PhoneDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <path d="M20 84V46a4 4 0 0 1 4-4h60a4 4 0 0 1 4 4v38z" opacity=".55" />
      <g transform="rotate(-8 66 56)">
        <rect x="46" y="16" width="42" height="80" rx="7" />
        <path d="M60 22h14" />
      </g>
      <path class="accent" d="M34 54a14 14 0 0 0 0 20M27 49a22 22 0 0 0 0 30" />
      <path d="M54 112c0-9-8-11-8-19 0-4 5-5 8-1l4 5M96 78c6-2 10 2 10 8 0 12-4 15-4 26" />
    </Drawing>
  );
}

export function ReaderDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <path d="M16 84h88l8 18H8z" />
      <path d="M30 84l4-34h52l4 34" opacity=".55" />
      <path d="M40 26h40v46H40z" />
      <g class="accent"><ChipSymbol x={49} y={52} scale={0.8} /><path d="M52 80a12 12 0 0 1 16 0M46 76" /></g>
      <circle cx="98" cy="94" r="1.5" fill="currentColor" />
    </Drawing>
  );
}

export function FaceDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <rect x="12" y="14" width="96" height="78" rx="8" opacity=".55" />
      <path d="M44 106h32M60 92v14" opacity=".55" />
      <ellipse class="accent" cx="60" cy="53" rx="23" ry="30" stroke-dasharray="5 5" />
      <path d="M46 46c0-12 6-18 14-18s14 6 14 18-6 26-14 26-14-14-14-26z" />
      <path d="M54 47v1M66 47v1M60 48v8M55 62c3 3 7 3 10 0" />
    </Drawing>
  );
}

export function CounterDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <path d="M8 78h104M16 78v30M104 78v30" />
      <circle cx="36" cy="38" r="10" />
      <path d="M18 78c0-16 7-24 18-24s18 8 18 24" />
      <circle cx="86" cy="42" r="9" />
      <path d="M70 78c0-14 6-21 16-21s16 7 16 21" />
      <g class="accent"><rect x="54" y="66" width="16" height="11" rx="1.5" /><path d="M58 71.500h8" /></g>
      <path d="M60 14v40" opacity=".35" stroke-dasharray="2 5" />
    </Drawing>
  );
}

export function KeyDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <circle cx="42" cy="60" r="22" />
      <circle class="accent" cx="42" cy="60" r="8" />
      <path d="M64 60h44v14M92 60v10" />
      <path d="M36 30a31 31 0 0 1 24 5" opacity=".4" />
    </Drawing>
  );
}

export function LockDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <rect x="26" y="52" width="68" height="50" rx="8" />
      <path d="M40 52V38a20 20 0 0 1 40 0v14" />
      <circle class="accent" cx="60" cy="72" r="5" />
      <path class="accent" d="M60 77v10" />
    </Drawing>
  );
}

export function PaperDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <path d="M28 12h46l18 18v78H28z" />
      <path d="M74 12v18h18" />
      <g class="accent"><path d="M40 52h14M66 52h14M40 66h14M66 66h14M40 80h14M66 80h14" /></g>
    </Drawing>
  );
}

export function YesDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <circle cx="60" cy="60" r="44" opacity=".35" />
      <path class="accent" d="M40 62l14 14 28-32" stroke-width="3" />
    </Drawing>
  );
}

export function PauseDrawing() {
  return (
    <Drawing box="0 0 120 120" class="drawing">
      <circle cx="60" cy="60" r="44" opacity=".35" />
      <path d="M60 38v28" stroke-width="3" />
      <path d="M60 80v.5" stroke-width="4" />
    </Drawing>
  );
}

/** Small signs inside text and buttons. */
export function Icon({ name }: { name: "yes" | "no" | "minus" | "info" | "copy" | "lock" | "arrow" | "back" | "external" }) {
  const path = {
    yes: "M5 12.500l4.5 4.500L19 7.5",
    no: "M6.5 6.500l11 11M17.5 6.500l-11 11",
    minus: "M6 12h12",
    info: "M12 11v6M12 7v.2M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18z",
    copy: "M9 9h10v11H9zM5 15V4h10",
    lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    arrow: "M5 12h14M13 6l6 6-6 6",
    back: "M19 12H5M11 6l-6 6 6 6",
    external: "M10 6H5v13h13v-5M14 5h5v5M19 5l-9 9",
  }[name];
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
      <path d={path} />
    </svg>
  );
}
