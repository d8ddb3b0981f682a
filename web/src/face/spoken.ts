/** Hints at the pace of a screen reader. */
import { useEffect, useRef, useState } from "preact/hooks";

/** A hint that goes sooner than this is not worth saying, in milliseconds. */
const settles = 600;
/** The least time from one hint to the next, in milliseconds: a sentence takes about that long. */
const sentence = 3500;
/** A hint that still holds is said again after this, in milliseconds. */
const again = 9000;

/**
 * Follows the hint on the screen: what has just appeared is said when it has settled
 * and the last one has been heard out; what comes and goes meanwhile is not said at all.
 */
export function useSpoken(hint: string | null): string | null {
  const [spoken, setSpoken] = useState<string | null>(null);
  const last = useRef(-Infinity);
  useEffect(() => {
    if (hint === null) return undefined;
    let timer: ReturnType<typeof setTimeout>;
    const say = () => {
      last.current = performance.now();
      setSpoken(hint);
      timer = setTimeout(repeat, again);
    };
    // A live region speaks when its text changes: away with it, and back a moment later.
    const repeat = () => {
      setSpoken(null);
      timer = setTimeout(say, settles);
    };
    timer = setTimeout(say, Math.max(settles, last.current + sentence - performance.now()));
    return () => { clearTimeout(timer); };
  }, [hint]);
  // What is no longer shown may be heard out; then it goes, or it could not be said anew.
  useEffect(() => {
    if (spoken === null || spoken === hint) return undefined;
    const timer = setTimeout(() => { setSpoken((now) => (now === spoken ? null : now)); }, sentence);
    return () => { clearTimeout(timer); };
  }, [spoken, hint]);
  return spoken;
}
