/** Where the pictures come from: the person's camera. */
import type { Action } from "../types";

export interface PictureSource {
  stream: MediaStream;
  /** Told of every instruction; a real camera has no use for it. */
  instruct: (action: Action, index: number) => void;
  stop: () => void;
}

export type CameraFault = "refused" | "none" | "in_use" | "unsupported" | "stopped";

export class CameraError extends Error {
  readonly fault: CameraFault;
  constructor(fault: CameraFault) {
    super(fault);
    this.name = "CameraError";
    this.fault = fault;
  }
}

/** Names what getUserMedia threw (Media Capture and Streams §10.2). */
export function cameraFault(thrown: unknown): CameraFault {
  if (thrown instanceof CameraError) return thrown.fault;
  const name = thrown instanceof DOMException || thrown instanceof Error ? thrown.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "AbortError":
      return "in_use";
    default:
      return "unsupported";
  }
}

/** Asks for the camera that faces the person; no sound. Rejects with a CameraError. */
export async function openCamera(): Promise<PictureSource> {
  // Absent outside of secure contexts, whatever the type says.
  const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
  if (devices === undefined) throw new CameraError("unsupported");
  let stream: MediaStream;
  try {
    stream = await devices.getUserMedia({
      audio: false,
      video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30, min: 10 } },
    });
  } catch (thrown) {
    throw new CameraError(cameraFault(thrown));
  }
  return {
    stream,
    instruct: () => undefined,
    stop: () => {
      for (const track of stream.getTracks()) track.stop();
    },
  };
}
