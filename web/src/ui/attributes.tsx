/** Attributes in words: names of members, dates, countries, kinds. */
import type { I18n, PlainKey } from "../i18n";
import { useI18n } from "../i18n";
import type { Attributes, ClaimValue } from "../types";
import { country } from "./countries";

const order = [
  "family_name", "given_name", "birthdate", "nationalities", "sex", "age_over_18",
  "document_type", "document_issuer", "document_number", "document_expiry", "verified_on",
] as const;
type Name = (typeof order)[number];

/** The names of an object's attributes in the order in which people see them. */
export function orderedNames(names: readonly string[]): string[] {
  const rank = (name: string) => {
    const i = order.findIndex((n) => n === name);
    return i < 0 ? order.length : i;
  };
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/** What an attribute is called. */
export function attributeLabel(i18n: I18n, name: string): string {
  const known = order.find((n) => n === name);
  return known === undefined ? name : i18n.t(`attr.${known}`);
}

const kinds: Record<string, PlainKey> = {
  passport: "value.passport", id_card: "value.id_card", residence_permit: "value.residence_permit", travel_document: "value.travel_document",
};
const sexes: Record<string, PlainKey> = { F: "value.sex_f", M: "value.sex_m", X: "value.sex_x" };

/** What an attribute's value reads like. */
export function attributeValue(i18n: I18n, name: string, value: ClaimValue): string {
  if (typeof value === "boolean") return i18n.t(value ? "value.true" : "value.false");
  if (Array.isArray(value)) return value.map((v) => country(i18n, v)).join(", ");
  switch (name as Name) {
    case "birthdate":
    case "document_expiry":
    case "verified_on":
      return i18n.date(value);
    case "document_issuer":
    case "nationalities":
      return country(i18n, value);
    case "document_type":
      return value in kinds ? i18n.t(kinds[value] ?? "value.passport") : value;
    case "sex":
      return value in sexes ? i18n.t(sexes[value] ?? "value.sex_x") : value;
    default:
      return value;
  }
}

/** A list of attributes, hidden behind dots until asked for. */
export function AttributeList({ attributes, masked }: { attributes: Attributes; masked: boolean }) {
  const i18n = useI18n();
  return (
    <dl class="facts">
      {orderedNames(Object.keys(attributes)).map((name) => (
        <div key={name}>
          <dt>{attributeLabel(i18n, name)}</dt>
          <dd>
            {masked ? (
              <><span aria-hidden="true" class="mask">••••••</span><span class="visually-hidden">{i18n.t("me.hidden")}</span></>
            ) : attributeValue(i18n, name, attributes[name] ?? "")}
          </dd>
        </div>
      ))}
    </dl>
  );
}
