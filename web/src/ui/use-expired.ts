import { useEffect, useState } from "preact/hooks";

/** The longest wait that setTimeout can count: longer ones would end at once. */
const longestTimer = 2 ** 31 - 1;

/** Whether an instant has passed; says so when it does. */
export function useExpired(instant: string): boolean {
  const [expired, setExpired] = useState(() => Date.parse(instant) <= Date.now());
  useEffect(() => {
    const left = Date.parse(instant) - Date.now();
    setExpired(left <= 0);
    if (!(left > 0)) return undefined;
    const timer = setTimeout(() => { setExpired(Date.parse(instant) <= Date.now()); }, Math.min(left, longestTimer));
    return () => { clearTimeout(timer); };
  }, [instant]);
  return expired;
}
