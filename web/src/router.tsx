import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const changed = "ipse:navigate";
// A tiny box, so that the first page keeps the browser's own focus and later ones take it.
const visits = { count: 0 };

/** Goes to another page of the application. */
export function navigate(path: string, options: { replace?: boolean } = {}): void {
  if (path === location.pathname) return;
  if (options.replace === true) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  visits.count++;
  window.dispatchEvent(new Event(changed));
}

/** Leaves the application for an address that the server gave. */
export function leaveTo(url: string): void {
  location.assign(url);
}

/** Whether the person has done something here already, so that new content may take the focus. */
export function mayTakeFocus(): boolean {
  // Older browsers have no userActivation; a navigation then tells enough.
  const activation = (navigator as { userActivation?: UserActivation }).userActivation;
  return visits.count > 0 || activation?.hasBeenActive === true;
}

/** Takes the focus where what held it has just gone, and only there. */
export function takeLostFocus(element: HTMLElement | null): void {
  if (mayTakeFocus() && (document.activeElement === null || document.activeElement === document.body)) element?.focus();
}

/** The path of the current page. */
export function usePath(): string {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const update = (event: Event) => {
      if (event.type === "popstate") visits.count++;
      setPath(location.pathname);
    };
    window.addEventListener("popstate", update);
    window.addEventListener(changed, update);
    return () => {
      window.removeEventListener("popstate", update);
      window.removeEventListener(changed, update);
    };
  }, []);
  return path;
}

interface LinkProps {
  to: string;
  class?: string;
  children: ComponentChildren;
}

/** A link inside the application; opens in a new tab when the person asks for that. */
export function Link({ to, children, ...rest }: LinkProps) {
  return (
    <a
      href={to}
      {...rest}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
}
