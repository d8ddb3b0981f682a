/** The frame of a page: its title, its step, its focus. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useI18n } from "../i18n";
import { Link, mayTakeFocus } from "../router";
import { Icon } from "./drawings";

/** Steps of a proofing, on either route. */
export const stepCount = 6;

interface PageProps {
  title: string;
  /** 1 to 6 on the pages of a proofing. */
  step?: number;
  /** Where the way back leads; a page in mid-action has none, and says how to stop instead. */
  back?: string;
  drawing?: ComponentChildren;
  wide?: boolean;
  /** The live check: everything within one screen, nothing beside it. */
  live?: boolean;
  /** Something within takes the focus when the page opens, instead of its heading. */
  focusWithin?: boolean;
  /** Centres the heading and its drawing. */
  hero?: boolean;
  children: ComponentChildren;
}

/** Names the page in the tab, moves the focus to its heading after a navigation, and lays it out. */
export function Page({ title, step, back, drawing, wide = false, hero = false, live = false, focusWithin = false, children }: PageProps) {
  const { t } = useI18n();
  const heading = useRef<HTMLHeadingElement>(null);
  const asOpened = useRef(focusWithin);
  const spoken = step === undefined ? title : t("app.step_title", { step, steps: stepCount, page: title });
  useEffect(() => {
    document.title = t("app.title", { page: spoken });
  }, [spoken, t]);
  useEffect(() => {
    if (asOpened.current || !mayTakeFocus()) return;
    window.scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class={`page ${wide ? "wide" : ""} ${hero ? "hero" : ""} ${live ? "live" : ""}`}>
      {(back !== undefined || step !== undefined) && (
        <div class="page-place">
          {back !== undefined && <Link to={back} class="back"><Icon name="back" /><span>{t("app.back")}</span></Link>}
          {step !== undefined && <Steps step={step} />}
        </div>
      )}
      <header class="page-head">
        {drawing !== undefined && <div class="page-drawing">{drawing}</div>}
        <h1 ref={heading} tabIndex={-1}>
          {step !== undefined && <span class="visually-hidden">{t("app.step_title", { step, steps: stepCount, page: "" })}</span>}
          {title}
        </h1>
      </header>
      {children}
    </div>
  );
}

function Steps({ step }: { step: number }) {
  const { t } = useI18n();
  return (
    <div class="steps" aria-hidden="true">
      <span class="steps-words">{t("app.step", { step, steps: stepCount })}</span>
      <span class="steps-bars">
        {Array.from({ length: stepCount }, (_, i) => (
          <span key={i} class={i + 1 < step ? "bar done" : i + 1 === step ? "bar now" : "bar"} />
        ))}
      </span>
    </div>
  );
}
