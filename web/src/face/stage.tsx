/** The picture with what is drawn over it: oval, arrow, one instruction, hint, dots. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useI18n, type PlainKey } from "../i18n";
import type { Action } from "../types";
import { useSpoken } from "./spoken";
import type { Check } from "./use-check";

/** Guidance drawn in a 640x480 picture. Left and right are the person's own, and the preview is mirrored: their left is on the left. */
function Guide({ action, mood, share, light }: { action: Action | null; mood: "plain" | "hint" | "good"; share: number; light: string | null }) {
  const arrows: Partial<Record<Action, string>> = {
    turnLeft: "M234 240h-56M204 214l-26 26 26 26",
    turnRight: "M406 240h56M436 214l26 26-26 26",
    lookUp: "M188 284v-86M164 222l24-26 24 26M452 284v-86M428 222l24-26 24 26",
    lookDown: "M188 196v86M164 258l24 26 24-26M452 196v86M428 258l24 26 24-26",
  };
  const marks: Partial<Record<Action, string>> = {
    smile: "M282 322c22 24 54 24 76 0",
    openMouth: "M320 300c18 0 28 14 28 30s-10 28-28 28-28-12-28-28 10-30 28-30z",
    blink: "M258 214c12 10 28 10 40 0M342 214c12 10 28 10 40 0",
  };
  const arrow = action === null ? undefined : arrows[action];
  const mark = action === null ? undefined : marks[action];
  return (
    <svg class="guide" viewBox="0 0 640 480" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">
      <path class={light === null ? "veil" : "veil lit"} {...(light === null ? {} : { style: { fill: light } })} fill-rule="evenodd" d="M0 0h640v480H0zM320 76c70 0 118 66 118 158 0 98-54 172-118 172s-118-74-118-172c0-92 48-158 118-158z" />
      <path class={`oval ${mood}`} d="M320 76c70 0 118 66 118 158 0 98-54 172-118 172s-118-74-118-172c0-92 48-158 118-158z" />
      {/* The share of the instructions done, drawn along the oval. */}
      {share > 0 && <path class="oval-share" pathLength={1} stroke-dasharray={`${String(share)} 1`} d="M320 76c70 0 118 66 118 158 0 98-54 172-118 172s-118-74-118-172c0-92 48-158 118-158z" />}
      {arrow !== undefined && <><path class="arrow-edge" d={arrow} /><path class="arrow" d={arrow} /></>}
      {mark !== undefined && <><path class="arrow-edge thin" d={mark} /><path class="arrow thin" d={mark} /></>}
    </svg>
  );
}

/** Where the pictures are covered, laid over the preview exactly as it is cut and mirrored. */
function Covered({ boxes, aspect }: { boxes: Check["covered"]; aspect: number }) {
  if (boxes.length === 0) return null;
  return (
    <svg class="guide mirrored" viewBox={`0 0 ${aspect} 1`} preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">
      {boxes.map((box, i) => <rect key={i} class="covered" x={box.x * aspect} y={box.y} width={box.w * aspect} height={box.h} />)}
    </svg>
  );
}

/** What to say once a movement was made and the way back is wanted; the server asks for it with this hint. */
const back: Partial<Record<Action, PlainKey>> = {
  turnLeft: "face.return", turnRight: "face.return", lookUp: "face.return", lookDown: "face.return", blink: "face.return_eyes",
};

/** True for a moment after the count has grown. */
function useBriefly(count: number): boolean {
  const [until, setUntil] = useState(0);
  const before = useRef(count);
  useEffect(() => {
    const grown = count > before.current;
    before.current = count;
    if (!grown) return undefined;
    setUntil(count);
    const timer = setTimeout(() => { setUntil(0); }, 700);
    return () => { clearTimeout(timer); };
  }, [count]);
  return until !== 0 && until === count;
}

export function Stage({ check }: { check: Check }) {
  const { t, tn, code } = useI18n();
  const video = useRef<HTMLVideoElement>(null);
  const { phase, instruction, done, stream, attach } = check;
  const comeBack = check.hint === "look_straight" && instruction !== null ? back[instruction.action] : undefined;
  const hint = comeBack === undefined ? check.hint : null;
  const spoken = useSpoken(hint);

  useEffect(() => {
    const element = video.current;
    attach(element);
    if (element === null) return undefined;
    element.srcObject = stream;
    if (stream !== null) void element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
      attach(null);
    };
  }, [stream, attach]);

  const count = check.count;
  const praised = useBriefly(done);
  const mood = praised || comeBack !== undefined ? "good" : hint === null ? "plain" : "hint";
  const words = {
    idle: "", camera: "", problem: "", refused: "",
    asking: t("face.asking"),
    connecting: t("face.connecting"),
    deciding: t("face.deciding"),
    accepted: t("face.deciding"),
    busy: phase.name === "busy" ? tn("face.busy", phase.seconds) : "",
    live: instruction === null ? t("face.connecting") : t(comeBack ?? `action.${instruction.action}`),
  }[phase.name];
  return (
    <section class="stage" aria-label={t("face.preview")}>
      {check.light !== null && <div class="screen-light" style={{ background: check.light }} aria-hidden="true" />}
      <div class="picture-box">
        <div class="picture">
          <video ref={video} class="mirrored" muted playsInline disablePictureInPicture aria-label={t("face.preview")} />
          <Covered boxes={check.covered} aspect={(video.current?.videoWidth ?? 4) / (video.current?.videoHeight ?? 3)} />
          <Guide action={comeBack === undefined ? (instruction?.action ?? null) : null} mood={mood} share={count === 0 ? 0 : done / count} light={check.light} />
          <div class="instruction" role="status" aria-live="assertive" aria-atomic="true">
            {/* data-action and data-step: which movement the drawing shows now. */}
            {instruction === null ? <p>{words}</p> : (
              <p key={`${String(instruction.index)} ${comeBack ?? ""}`} data-action={instruction.action} data-step={String(instruction.index)}>{words}</p>
            )}
          </div>
          <div class="hint-over" aria-hidden="true">
            {hint !== null && <p data-hint={hint}>{code("hint", hint, "", "hint.center_face")}</p>}
          </div>
          {/* The same words for a screen reader, no faster than it can say them. */}
          <p class="visually-hidden" role="status" data-spoken>{spoken !== null && code("hint", spoken, "", "hint.center_face")}</p>
        </div>
      </div>
      {count > 0 && (
        <div class="dots">
          <span class="visually-hidden">{t("face.dots", { done, count })}</span>
          {Array.from({ length: count }, (_, i) => (
            <span key={i} class={i < done ? "dot done" : i === instruction?.index ? "dot now" : "dot"} aria-hidden="true" />
          ))}
        </div>
      )}
    </section>
  );
}
