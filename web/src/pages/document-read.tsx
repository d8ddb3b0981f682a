import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import type { Attributes, View } from "../types";
import { AttributeList, attributeValue } from "../ui/attributes";
import { Button, Notice } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";

const placeholder: Attributes = { family_name: "", given_name: "", birthdate: "", nationalities: [], document_number: "", document_expiry: "" };

/** What the chip says, masked; the values are fetched only when the person asks. */
export function WhatWasRead({ summary }: { summary: View["document_summary"] }) {
  const i18n = useI18n();
  const { t } = i18n;
  const [attributes, setAttributes] = useState<Attributes | null>(null);
  const [shown, setShown] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const title = summary === undefined ? t("document.done") : t("document.summary", {
    kind: attributeValue(i18n, "document_type", summary.kind),
    state: attributeValue(i18n, "document_issuer", summary.issuing_state),
  });
  const toggle = () => {
    setProblem(null);
    if (attributes !== null || shown) {
      setShown(!shown);
      return;
    }
    api.attributes().then(
      (read) => {
        setAttributes(read);
        setShown(true);
      },
      (thrown: unknown) => { setProblem(asProblem(thrown)); },
    );
  };
  return (
    <section class="stack">
      <Notice tone="good" title={title}><p>{t("document.done_text")}</p></Notice>
      <div class="card stack">
        <AttributeList attributes={attributes ?? placeholder} masked={!shown} />
        {!shown && <p class="hint">{t("document.masked")}</p>}
        <div class="ways"><Button onClick={toggle}>{t(shown ? "document.hide" : "document.show")}</Button></div>
        {problem !== null && <ProblemNotice problem={problem} />}
      </div>
    </section>
  );
}
