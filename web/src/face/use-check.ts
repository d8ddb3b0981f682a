/** One live check: source, channel and what the server said last. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { openFace, Problem, type FaceChannel } from "../api";
import type { Action, FaceMessage } from "../types";
import type { Box } from "./boxes";
import { captureFrames } from "./capture";
import type { DeviceHint } from "./guidance";
import { colourOf, Lamp } from "./light";
import { cameraFault, type CameraFault, type PictureSource } from "./source";
import { Watch } from "./watch";

export type Phase =
  | { name: "idle" }
  | { name: "asking" }
  | { name: "connecting" }
  | { name: "live" }
  | { name: "deciding" }
  | { name: "busy"; seconds: number }
  | { name: "accepted" }
  | { name: "refused"; reason: string; attemptsLeft: number | null }
  | { name: "camera"; fault: CameraFault }
  | { name: "problem"; problem: Problem };

export interface Instruction {
  action: Action;
  index: number;
  of: number;
}

export interface Check {
  phase: Phase;
  instruction: Instruction | null;
  /** What would help now: the server's word first, else the device's; but somebody else in the picture before all. */
  hint: string | null;
  done: number;
  /** How many instructions there are; 0 until the first. */
  count: number;
  stream: MediaStream | null;
  /** What of the pictures is covered before they leave, in fractions of their size. */
  covered: readonly Box[];
  /** Whether anything of this check has been covered. */
  others: boolean;
  /** The colour around the oval now, or null. */
  light: string | null;
  /** Give the video element that plays the stream. */
  attach: (video: HTMLVideoElement | null) => void;
  /** colours: false leaves them out at the end. */
  begin: (open: () => Promise<PictureSource>, colours: boolean) => void;
  stop: () => void;
}

/** A hint disappears when the server has not repeated it for this long. */
const hintFor = 2500;

export function useCheck(onDecision: () => void): Check {
  const [phase, setPhase] = useState<Phase>({ name: "idle" });
  const [instruction, setInstruction] = useState<Instruction | null>(null);
  const [hint, setHint] = useState<{ text: string; at: number } | null>(null);
  const [seen, setSeen] = useState<DeviceHint | null>(null);
  const [covered, setCovered] = useState<readonly Box[]>([]);
  const [others, setOthers] = useState(false);
  const [done, setDone] = useState(0);
  const [count, setCount] = useState(0);
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [light, setLight] = useState<string | null>(null);
  const lamp = useRef<Lamp | null>(null);
  const wanted = useRef(true);
  const source = useRef<PictureSource | null>(null);
  const channel = useRef<FaceChannel | null>(null);
  const video = useRef<HTMLVideoElement | null>(null);
  const endCapture = useRef<(() => void) | null>(null);
  const retry = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const watch = useRef<Watch | null>(null);
  const finished = useRef(false);
  const decided = useRef(onDecision);
  decided.current = onDecision;

  const release = useCallback(() => {
    finished.current = true;
    clearTimeout(retry.current);
    endCapture.current?.();
    endCapture.current = null;
    channel.current?.close();
    channel.current = null;
    source.current?.stop();
    source.current = null;
    watch.current?.close();
    watch.current = null;
    lamp.current?.stop();
    lamp.current = null;
    setStream(null);
    setInstruction(null);
    setHint(null);
    setSeen(null);
    setCovered([]);
    setOthers(false);
  }, []);

  const finish = useCallback((next: Phase) => {
    release();
    setPhase(next);
  }, [release]);

  /** The watch of the next check; what it needs is loaded while the person reads. */
  const prepare = useCallback((): Watch => {
    watch.current ??= new Watch({
      onHint: setSeen,
      onCovered: (boxes) => {
        setCovered(boxes);
        setOthers(true);
      },
      onCrowded: () => {
        finish({ name: "refused", reason: "several_faces", attemptsLeft: null });
        decided.current();
      },
    });
    void watch.current.prepare();
    return watch.current;
  }, [finish]);

  useEffect(() => {
    prepare();
    return release;
  }, [prepare, release]);

  const connect = useCallback(() => {
    const startFrames = () => {
      const watching = watch.current;
      if (endCapture.current !== null || video.current === null || watching === null) return;
      endCapture.current = captureFrames(video.current, {
        sceneOf: (frame) => watching.sceneOf(frame),
        onFrame: (at, jpeg) => channel.current?.sendFrame(at, jpeg),
        onLook: (scene, luma) => { watching.look(scene, luma); },
      });
    };
    const pause = (seconds: number) => {
      endCapture.current?.();
      endCapture.current = null;
      channel.current?.close();
      channel.current = null;
      setPhase({ name: "busy", seconds });
      if (seconds <= 0) connect();
      else retry.current = setTimeout(() => { pause(seconds - 1); }, 1000);
    };
    const onMessage = (message: FaceMessage) => {
      switch (message.type) {
        case "instruction":
          startFrames();
          setPhase({ name: "live" });
          setHint(null);
          setCount(message.of);
          setInstruction({ action: message.action, index: message.index, of: message.of });
          source.current?.instruct(message.action, message.index);
          watch.current?.instruct(message.action, message.index);
          break;
        case "hint":
          setHint({ text: message.hint, at: Date.now() });
          break;
        case "light":
          lamp.current ??= new Lamp(setLight);
          lamp.current.set(colourOf(message.colour ?? ""));
          break;
        case "step_done":
          setDone(message.index + 1);
          setHint(null);
          break;
        case "decision":
          if (message.accepted) finish({ name: "accepted" });
          else finish({ name: "refused", reason: message.reason, attemptsLeft: message.attempts_left });
          decided.current();
          break;
        case "busy":
          pause(Math.max(1, Math.ceil(message.retry_after_s)));
          break;
        case "error":
          finish({ name: "problem", problem: new Problem(message.code) });
          decided.current();
          break;
      }
    };
    setPhase({ name: "connecting" });
    const opened = openFace(onMessage, () => {
      if (finished.current || channel.current !== opened) return;
      finish({ name: "refused", reason: "connection_lost", attemptsLeft: null });
      decided.current();
    }, wanted.current);
    channel.current = opened;
  }, [finish]);

  const begin = useCallback((open: () => Promise<PictureSource>, colours: boolean) => {
    wanted.current = colours;
    finished.current = false;
    setDone(0);
    setCount(0);
    setPhase({ name: "asking" });
    const watching = prepare();
    open().then(
      async (opened) => {
        if (finished.current) {
          opened.stop();
          return;
        }
        source.current = opened;
        for (const track of opened.stream.getVideoTracks()) {
          track.addEventListener("ended", () => {
            if (!finished.current) finish({ name: "camera", fault: "stopped" });
          });
        }
        setStream(opened.stream);
        setPhase({ name: "connecting" });
        await watching.prepare();
        if (source.current === opened) connect();
      },
      (thrown: unknown) => { finish({ name: "camera", fault: cameraFault(thrown) }); },
    );
  }, [connect, finish, prepare]);

  const stop = useCallback(() => { finish({ name: "idle" }); }, [finish]);
  const attach = useCallback((element: HTMLVideoElement | null) => { video.current = element; }, []);

  useEffect(() => {
    if (hint === null) return undefined;
    const timer = setTimeout(() => { setHint(null); }, hintFor);
    return () => { clearTimeout(timer); };
  }, [hint]);

  // All instructions done: the server decides.
  const allDone = phase.name === "live" && instruction !== null && done >= instruction.of;
  return { phase: allDone ? { name: "deciding" } : phase, instruction: allDone ? null : instruction, hint: allDone ? null : seen === "one_person_only" ? seen : hint?.text ?? seen, done, count, stream, covered, others, light: allDone ? null : light, attach, begin, stop };
}
