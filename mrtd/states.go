package mrtd

import "strings"

type stateRelation int

const (
	stateUnknown stateRelation = iota
	stateSame
	stateDifferent
)

// stateCodes pairs the three-letter codes of machine-readable zones with the
// two-letter codes of certificates: ISO 3166-1 and the additions of Doc 9303-3
// §5 (D for Germany, GBD to GBS, organisations) and of the fictitious Utopia.
const stateCodes = `AFGAF ALBAL DZADZ ASMAS ANDAD AGOAO AIAAI ATAAQ ATGAG ARGAR ARMAM ABWAW AUSAU AUTAT AZEAZ BHSBS BHRBH BGDBD BRBBB
BLRBY BELBE BLZBZ BENBJ BMUBM BTNBT BOLBO BESBQ BIHBA BWABW BRABR BRNBN BGRBG BFABF BDIBI CPVCV KHMKH CMRCM CANCA CYMKY CAFCF TCDTD CHLCL
CHNCN COLCO COMKM COGCG CODCD COKCK CRICR CIVCI HRVHR CUBCU CUWCW CYPCY CZECZ DNKDK DJIDJ DMADM DOMDO ECUEC EGYEG SLVSV GNQGQ ERIER ESTEE
SWZSZ ETHET FLKFK FROFO FJIFJ FINFI FRAFR GUFGF PYFPF GABGA GMBGM GEOGE DEUDE GHAGH GIBGI GRCGR GRLGL GRDGD GLPGP GUMGU GTMGT GGYGG GINGN
GNBGW GUYGY HTIHT VATVA HNDHN HKGHK HUNHU ISLIS INDIN IDNID IRNIR IRQIQ IRLIE IMNIM ISRIL ITAIT JAMJM JPNJP JEYJE JORJO KAZKZ KENKE KIRKI
PRKKP KORKR KWTKW KGZKG LAOLA LVALV LBNLB LSOLS LBRLR LBYLY LIELI LTULT LUXLU MACMO MDGMG MWIMW MYSMY MDVMV MLIML MLTMT MHLMH MTQMQ MRTMR
MUSMU MEXMX FSMFM MDAMD MCOMC MNGMN MNEME MSRMS MARMA MOZMZ MMRMM NAMNA NRUNR NPLNP NLDNL NCLNC NZLNZ NICNI NERNE NGANG NIUNU MKDMK NORNO
OMNOM PAKPK PLWPW PSEPS PANPA PNGPG PRYPY PERPE PHLPH POLPL PRTPT PRIPR QATQA REURE ROURO RUSRU RWARW KNAKN LCALC VCTVC WSMWS SMRSM STPST
SAUSA SENSN SRBRS SYCSC SLESL SGPSG SVKSK SVNSI SLBSB SOMSO ZAFZA SSDSS ESPES LKALK SDNSD SURSR SWESE CHECH SYRSY TWNTW TJKTJ TZATZ THATH
TLSTL TGOTG TONTO TTOTT TUNTN TURTR TKMTM TCATC TUVTV UGAUG UKRUA AREAE GBRGB USAUS URYUY UZBUZ VUTVU VENVE VNMVN VGBVG VIRVI YEMYE ZMBZM
ZWEZW DDE GBDGB GBNGB GBOGB GBPGB GBSGB EUEEU UNOUN UNAUN RKSKS XKXKX XOMXO UTOUT`

// sameState relates the issuing state of a zone to the country of a
// certificate. Territories whose documents another state's authority signs (for
// example HKG under CN) are of unknown relation rather than different.
func sameState(zone, country string) stateRelation {
	two := stateOf(zone)
	if two == "" || len(country) < 2 {
		return stateUnknown
	}
	if two == country || country == zone || alias(two) == alias(country) {
		return stateSame
	}
	for _, territory := range [...]string{"HKG", "MAC", "BMU", "CYM", "GIB", "GGY", "IMN", "JEY", "AIA", "MSR", "TCA", "VGB", "FLK",
		"GRL", "FRO", "ABW", "CUW", "UNK", "TWN"} {
		if zone == territory {
			return stateUnknown
		}
	}
	if !known(country) {
		return stateUnknown
	}
	return stateDifferent
}

// alias folds the codes in use for one issuer.
func alias(two string) string {
	switch two {
	case "KS", "XK":
		return "XK"
	case "UN", "UNO":
		return "UN"
	case "ZZ":
		return "UN"
	}
	return two
}

func stateOf(zone string) string {
	for pair := range strings.FieldsSeq(stateCodes) {
		if cut := len(pair) - 2; pair[:cut] == zone {
			return pair[cut:]
		}
	}
	return ""
}

func known(two string) bool {
	for pair := range strings.FieldsSeq(stateCodes) {
		if strings.HasSuffix(pair, two) {
			return true
		}
	}
	return false
}
