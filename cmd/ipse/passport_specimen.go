package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
)

type passportSpecimenCmd struct {
	New    specimenNewCmd    `cmd:"" help:"Make a specimen issuer and a specimen document."`
	Serve  specimenServeCmd  `cmd:"" help:"Put a specimen's software chip on a vpcd reader, until interrupted."`
	Faults specimenFaultsCmd `cmd:"" help:"List the faults that can be built in."`
}

type specimenNewCmd struct {
	Out      string             `required:"" help:"Folder for the document, its issuer and its trust list." type:"path" placeholder:"DIR"`
	Issuer   string             `help:"Folder of an issuer made before, to issue another document; default OUT/issuer." type:"path" placeholder:"DIR"`
	CSCA     specimen.Algorithm `name:"csca" help:"Algorithm of the authority, for example rsa-4096-sha256, rsapss-3072-sha256, ecdsa-P-384-sha384." default:"ecdsa-brainpoolP256r1-sha256"`
	DS       specimen.Algorithm `name:"ds" help:"Algorithm of the document signer." default:"ecdsa-brainpoolP256r1-sha256"`
	Hash     string             `help:"Hash of the data groups: ${enum}." enum:"sha1,sha224,sha256,sha384,sha512" default:"sha256"`
	Explicit bool               `name:"explicit-curves" help:"Write curves out in the certificates, as ICAO asks, instead of naming them."`
	BAC      bool               `name:"bac" help:"Offer BAC." default:"true" negatable:""`
	PACE     []string           `name:"pace" help:"Offer PACE: gm, im or cam, and if not the defaults also :PARAMETERS and :CIPHER, for example cam:P-256:aes-256; repeatable." placeholder:"MAPPING"`
	PACESet  string             `name:"pace-parameters" help:"Domain parameters where --pace names none: a curve (P-192 to P-521, brainpoolP192r1 to brainpoolP512r1), dh-0 to dh-2, or their number in ICAO 9303-11 §9.5.1." default:"13"`
	PACEFull bool               `name:"explicit-parameters" help:"Write the domain parameters of PACE out instead of naming them."`
	Cipher   string             `help:"Cipher where --pace and --ca name none: ${enum}." enum:"3des,aes-128,aes-192,aes-256" default:"aes-128"`
	CAN      string             `name:"can" help:"Card access number." default:"123456"`
	AA       specimen.Algorithm `name:"aa" help:"Active authentication key, for example rsa-2048-sha256 or ecdsa-P-256-sha256; empty for none. The hash is the signature's; SHA-1 makes the short trailer of ISO 9796-2." default:"rsa-2048-sha256"`
	AAForm   string             `name:"aa-encoding" help:"How an ECDSA signature of active authentication is encoded: ${enum}." enum:"plain,der" default:"plain"`
	CA       []string           `name:"ca" help:"Chip authentication key: a curve or dh-0 to dh-2, and if not the default also :CIPHER, for example P-384:aes-256; repeatable." placeholder:"CURVE"`
	Portrait string             `help:"Portrait, JPEG or JPEG 2000; default a drawn one." type:"path" placeholder:"IMAGE"`
	ISO39794 bool               `name:"iso-39794" help:"Write the portrait's record in ISO/IEC 39794-5 instead of 19794-5."`
	Format   string             `help:"Layout of the zone: ${enum}." enum:"td1,td2,td3" default:"td3"`
	Number   string             `help:"Document number." default:"L898902C3"`
	Surname  string             `help:"Primary identifier." default:"ERIKSSON"`
	Given    string             `help:"Secondary identifier." default:"ANNA MARIA"`
	Birth    string             `help:"Date of birth, YYMMDD." default:"740812"`
	Sex      string             `help:"${enum}." enum:"F,M,X" default:"F"`
	Expiry   string             `help:"Date of expiry, YYMMDD; default in ten years." placeholder:"YYMMDD"`
	Detail   []string           `help:"Element of DG11 or DG12; repeatable. Names: ${details}. Dates are YYYYMMDD." sep:"none" placeholder:"NAME=VALUE"`
	Sign     string             `name:"signature" help:"Image of the holder's signature, JPEG or JPEG 2000: DG7." type:"path" placeholder:"IMAGE"`
	Optional string             `name:"optional-data" help:"File with the content of DG13." type:"path" placeholder:"FILE"`
	Contact  []string           `help:"Person to notify, DG16; repeatable." sep:"none" placeholder:"NAME;TELEPHONE;ADDRESS"`
	Fault    []string           `help:"Fault to build in, for tests; repeatable (see passport specimen faults)." placeholder:"NAME"`
}

// Run makes the document and prints where it is.
func (cmd specimenNewCmd) Run(c *cliContext) error {
	issuer, issuerDir, err := cmd.issuer(c)
	if err != nil {
		return err
	}
	cfg, err := cmd.document(c)
	if err != nil {
		return err
	}
	doc, err := issuer.Issue(cfg)
	if err != nil {
		return err
	}
	if err := doc.Save(writeTo(cmd.Out)); err != nil {
		return err
	}
	if err := writeTo(cmd.Out)("mrz.txt", []byte(doc.MRZ+"\n")); err != nil {
		return err
	}
	if err := issuer.Save(writeTo(issuerDir)); err != nil {
		return err
	}
	if err := cmd.saveTrust(c, issuer); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "document    %s\nzone        %s\nissuer      %s\ntrust list  %s\n",
		cmd.Out, filepath.Join(cmd.Out, "mrz.txt"), issuerDir, filepath.Join(cmd.Out, "trust"))
	return err
}

func (cmd specimenNewCmd) issuer(c *cliContext) (*specimen.Issuer, string, error) {
	dir := cmd.Issuer
	if dir == "" {
		dir = filepath.Join(cmd.Out, "issuer")
	}
	issuer, err := specimen.LoadIssuer(os.DirFS(dir), ".", rand.Reader)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return issuer, dir, err
	}
	if cmd.Issuer != "" {
		return nil, dir, err
	}
	issuer, err = specimen.NewIssuer(specimen.IssuerConfig{CSCA: cmd.CSCA, DS: cmd.DS, ExplicitCurves: cmd.Explicit, Rand: rand.Reader, Now: c.Now()})
	return issuer, dir, err
}

func (cmd specimenNewCmd) document(c *cliContext) (specimen.DocumentConfig, error) {
	cfg := specimen.DocumentConfig{At: c.Now(), AA: cmd.AA, CAN: cmd.CAN, Access: specimen.AccessConfig{BAC: cmd.BAC}, Faults: map[string]bool{}, ISO39794: cmd.ISO39794,
		Hash: map[string]crypto.Hash{"sha1": crypto.SHA1, "sha224": crypto.SHA224, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[cmd.Hash],
		Zone: mrz.Fields{Format: map[string]mrz.Format{"td1": mrz.TD1, "td2": mrz.TD2, "td3": mrz.TD3}[cmd.Format], Number: cmd.Number,
			FamilyName: cmd.Surname, GivenNames: cmd.Given, BirthDate: cmd.Birth, Sex: cmd.Sex, ExpiryDate: cmd.Expiry}}
	for _, f := range cmd.Fault {
		if !specimen.KnownFault(f) {
			return cfg, usageError{fmt.Errorf("--fault: there is no fault %q; `ipse passport specimen faults` lists them", f)}
		}
		cfg.Faults[f] = true
	}
	if cmd.AAForm == "der" {
		cfg.Faults[specimen.FaultAADER] = true
	}
	if err := errors.Join(cmd.protocols(&cfg), cmd.groups(c, &cfg)); err != nil {
		return cfg, err
	}
	var err error
	cfg.Portrait, cfg.Width, cfg.Height, err = cmd.portrait()
	return cfg, err
}

// protocols reads what PACE and chip authentication are to be like.
func (cmd specimenNewCmd) protocols(cfg *specimen.DocumentConfig) error {
	for _, text := range cmd.PACE {
		part := parts(text, ":", "", cmd.PACESet, cmd.Cipher)
		p, err := specimen.NewPACE(part[0], part[1], part[2])
		if err != nil {
			return usageError{fmt.Errorf("--pace %s: %w", text, err)}
		}
		p.Explicit = cmd.PACEFull
		if cfg.Access.PACE == nil {
			cfg.Access.PACE = &p
		} else {
			cfg.Access.FurtherPACE = append(cfg.Access.FurtherPACE, p)
		}
	}
	for i, text := range cmd.CA {
		part := parts(text, ":", "", cmd.Cipher)
		key, err := specimen.NewCA(part[0], part[1], i+1)
		if err != nil {
			return usageError{fmt.Errorf("--ca %s: %w", text, err)}
		}
		cfg.CA = append(cfg.CA, key)
	}
	return nil
}

// groups reads what the further data groups are to hold.
func (cmd specimenNewCmd) groups(c *cliContext, cfg *specimen.DocumentConfig) error {
	for _, text := range cmd.Detail {
		name, value, _ := strings.Cut(text, "=")
		if err := cfg.AddDetail(name, value); err != nil {
			return usageError{fmt.Errorf("--detail: %w", err)}
		}
	}
	for _, text := range cmd.Contact {
		part := parts(text, ";", "", "", "")
		cfg.Contacts = append(cfg.Contacts, specimen.Contact{RecordedOn: c.Now().Format("20060102"), Name: part[0], Telephone: part[1], Address: part[2]})
	}
	var err1, err2 error
	if cmd.Sign != "" {
		cfg.Signature, err1 = os.ReadFile(cmd.Sign)
	}
	if cmd.Optional != "" {
		cfg.Optional, err2 = os.ReadFile(cmd.Optional)
	}
	return errors.Join(err1, err2)
}

// parts splits text; parts that are missing or empty take their default.
func parts(text, separator string, defaults ...string) []string {
	for i, part := range strings.SplitN(text, separator, len(defaults)) {
		if part != "" {
			defaults[i] = part
		}
	}
	return defaults
}

func (cmd specimenNewCmd) portrait() ([]byte, int, int, error) {
	if cmd.Portrait == "" {
		return drawnPortrait()
	}
	b, err := os.ReadFile(cmd.Portrait)
	if err != nil {
		return nil, 0, 0, err
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil { // JPEG 2000: the record may leave the size out
		return b, 0, 0, nil
	}
	return b, size.Width, size.Height, nil
}

// drawnPortrait draws a grey silhouette: nobody's face.
func drawnPortrait() ([]byte, int, int, error) {
	const w, h = 413, 531 // 35 mm x 45 mm at 300 dpi
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			dx, dy := (x-w/2)*100/130, (y-220)*100/170
			sx, sy := (x-w/2)*100/190, (y-560)*100/180
			shade := uint8(225)
			if dx*dx+dy*dy < 10000 || sx*sx+sy*sy < 10000 {
				shade = 120
			}
			img.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80})
	return b.Bytes(), w, h, err
}

func (cmd specimenNewCmd) saveTrust(c *cliContext, issuer *specimen.Issuer) error {
	list, err := issuer.MasterList(c.Now())
	if err != nil {
		return err
	}
	crl, err := issuer.CRL(c.Now())
	if err != nil {
		return err
	}
	write := writeTo(filepath.Join(cmd.Out, "trust"))
	return errors.Join(write("masterlist.ml", list), write("revoked.crl", crl), write("csca.cer", issuer.CSCA()))
}

// writeTo returns a function that writes files into dir, readable by the owner.
func writeTo(dir string) func(string, []byte) error {
	return func(name string, content []byte) error {
		if strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("unexpected file name %q", name)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), content, 0o600)
	}
}
