import { lazy } from "../ui/lazy";
import { useState } from "preact/hooks";
import { useI18n } from "../i18n";
import type { MrzInput, View } from "../types";
import { navigate } from "../router";
import { useConfig } from "../state/config";
import { CardDrawing, PassportDrawing, PhoneDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Notice } from "../ui/parts";
import { Proving, ProvingFoot } from "../ui/proving";
import { AccessForm } from "./document-form";
import { ReaderCard, Reading } from "./document-reader";
import { WhatWasRead } from "./document-read";

const DemoPassport = lazy(() => import("../demo/passport").then((m) => m.DemoPassport));

export function Document() {
  const { t } = useI18n();
  return <Proving title={t("document.title")} step={2}>{(view) => <DocumentStep view={view} />}</Proving>;
}

function DocumentStep({ view }: { view: View }) {
  const { t, tn, code } = useI18n();
  const config = useConfig();
  const [specimen, setSpecimen] = useState<MrzInput | null>(null);
  const document = view.document;
  const read = view.state === "face" || view.state === "counter";

  if (read) {
    const camera = view.state === "face";
    return (
      <Page title={t("document.done")} step={2}>
        <WhatWasRead summary={view.document_summary} />
        <div class="ways">
          <Button kind="primary" onClick={() => { navigate(camera ? "/prove/face" : "/counter"); }}>
            {t(camera ? "document.to_face" : "document.to_counter")}
          </Button>
        </div>
        <ProvingFoot view={view} />
      </Page>
    );
  }
  if (document?.phase === "reading") {
    return (
      <Page title={t("document.title")} step={2}>
        <Reading document={document} />
        <ProvingFoot view={view} />
      </Page>
    );
  }
  return (
    <Page title={t("document.title")} step={2}>
      <p class="lead">{t("document.lead")}</p>
      {document?.phase === "failed" && (
        <Notice tone="bad">
          <p>{code("docfail", document.failure ?? "unknown", "", "docfail.unknown")}</p>
          <p>{tn("document.attempts", document.attempts_left)}</p>
        </Notice>
      )}
      {document !== undefined && (
        <>
          {config.demo && <DemoPassport onReady={setSpecimen} />}
          <ReaderCard document={document} />
          <ChipPlaces />
          <AccessForm key={specimen?.document_number ?? ""} specimen={specimen} document={document} />
        </>
      )}
      <ProvingFoot view={view} />
    </Page>
  );
}

function ChipPlaces() {
  const { t } = useI18n();
  const places = [
    { drawing: <PassportDrawing />, text: t("document.chip_passport") },
    { drawing: <CardDrawing />, text: t("document.chip_card") },
    { drawing: <PhoneDrawing />, text: t("document.chip_phone") },
  ];
  return (
    <section class="stack" aria-labelledby="chip-where">
      <h2 id="chip-where">{t("document.chip_where")}</h2>
      <ul class="places">
        {places.map((place) => <li key={place.text}>{place.drawing}<span>{place.text}</span></li>)}
      </ul>
      <p class="hint with-sign">
        <svg viewBox="0 0 32 22" aria-hidden="true" focusable="false" class="chip-sign"><rect x="2" y="2" width="28" height="18" rx="2" /><path d="M2 11h9M21 11h9" /><circle cx="16" cy="11" r="5" /></svg>
        <span>{t("document.chip_symbol")}</span>
      </p>
    </section>
  );
}
