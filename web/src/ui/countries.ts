/**
 * States and nationalities in words. ICAO Doc 9303-3 §5 writes the three letters of
 * ISO 3166-1 and codes of its own; Intl names the two letters.
 */
import type { I18n, PlainKey } from "../i18n";

/** ISO 3166-1: alpha-3 and alpha-2, one after the other. */
const iso =
  "ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT AZEAZ BDIBI BELBE BENBJ "
  + "BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA "
  + "CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE "
  + "DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB "
  + "GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY HKGHK HMDHM HNDHN HRVHR "
  + "HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH "
  + "KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD "
  + "MDGMG MDVMV MEXMX MHLMH MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA "
  + "NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE PHLPH PLWPW PNGPG POLPL "
  + "PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL "
  + "SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ "
  + "TKLTK TKMTM TLSTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG "
  + "VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW";

const alpha2 = new Map(iso.split(" ").map((pair) => [pair.slice(0, 3), pair.slice(3)]));

/** Codes of Doc 9303-3 §5 that stand for a state or organisation that Intl can name. */
const icao = new Map([
  ["D", "DE"], ["EUE", "EU"], ["UNO", "UN"], ["UNA", "UN"], ["UNK", "XK"], ["RKS", "XK"],
  ["GBD", "GB"], ["GBN", "GB"], ["GBO", "GB"], ["GBP", "GB"], ["GBS", "GB"],
]);

/** Codes of Doc 9303-3 §5 for people without the protection of a state, and the specimen's. */
const own = new Map<string, PlainKey>([
  ["UTO", "value.uto"], ["XXA", "value.stateless"], ["XXB", "value.refugee"], ["XXC", "value.refugee"], ["XXX", "value.unspecified_state"],
]);

/** The name of a state or nationality; several kinds of one state keep their code beside it. */
export function country(i18n: Pick<I18n, "t" | "lang">, code: string): string {
  const key = own.get(code);
  if (key !== undefined) return i18n.t(key);
  const two = alpha2.get(code) ?? icao.get(code);
  if (two === undefined) return code;
  const name = new Intl.DisplayNames(i18n.lang, { type: "region" }).of(two) ?? code;
  return icao.has(code) && code !== "D" ? `${name} (${code})` : name;
}
