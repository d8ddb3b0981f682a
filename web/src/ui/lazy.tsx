import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Waiting } from "./parts";

/** A component whose code is fetched when it is first shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): (props: P) => preact.JSX.Element {
  return function Lazy(props: P) {
    const [Loaded, setLoaded] = useState<ComponentType<P> | null>(null);
    const [failed, setFailed] = useState<unknown>(null);
    useEffect(() => {
      load().then(
        (component) => { setLoaded(() => component); },
        (thrown: unknown) => { setFailed(thrown ?? new Error("not loaded")); },
      );
    }, []);
    if (failed !== null) throw failed instanceof Error ? failed : new Error("not loaded");
    return Loaded === null ? <Waiting /> : <Loaded {...props} />;
  };
}
