import { expect, test } from "./fixtures.ts";
import { addAuthenticator } from "./passkey.ts";
import { Agent } from "./agent.ts";
import { Person, en, fr } from "./person.ts";
for (const [n,w,c,l] of [["p",360,"light","fr"],["d",1280,"dark","en"]] as const) test.describe(n, () => {
  test.use({ viewport: { width: w, height: 800 }, colorScheme: c, locale: l === "fr" ? "fr-FR" : "en-GB" });
  test("w2"+n, async ({ page, ipse, browser }) => {
    test.setTimeout(240000);
    const t = l === "fr" ? fr : en; const anna = new Person(page, t);
    const shot = async (name: string, p = page) => { await p.waitForTimeout(300); await p.screenshot({ path: `/tmp/nc/s2-${n}-${name}.png`, fullPage: true, animations: "disabled" }); };
    await addAuthenticator(page);
    await anna.takeDoor("camera"); await anna.agree();
    await anna.button("demo.use").click(); await expect(page.getByText(t["document.reader_ok"])).toBeVisible(); await shot("doc");
    await anna.typeDate("document.birth", "74-13-2"); await anna.button("document.read").click(); await shot("docerr");
    await page.emulateMedia({ forcedColors: "active" }); await shot("docforced"); await page.emulateMedia({ forcedColors: "none" });
    await page.goto(ipse.service("Utopia Family Fund") + "/nowhere"); await shot("fam404");
    await page.goto(ipse.service("Utopia Family Fund") + "/privacy"); await shot("fampriv");
    await page.goto(ipse.service("Utopia Family Fund")); await shot("fam");
    await page.goto(ipse.service("Utopia Revenue Service")); await shot("tax");
    await page.goto(ipse.url + "/oauth/authorize?client_id=nobody"); await shot("oidc");
    const r = await page.request.get(ipse.url + "/.well-known/openid-configuration"); const d = await r.json() as { authorization_endpoint: string };
    await page.goto(d.authorization_endpoint + "?client_id=nobody&response_type=code"); await shot("oidc2");
    void browser; void Agent;
  });
  test.describe("nojs", () => { test.use({ javaScriptEnabled: false }); test("nojs"+n, async ({ page }) => { await page.goto("/"); await page.screenshot({ path: `/tmp/nc/s2-${n}-nojs.png`, fullPage: true }); }); });
});
