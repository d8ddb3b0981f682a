package lds

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

func TestDG7HoldsDisplayedSignatures(t *testing.T) {
	t.Parallel()
	b := tlv.Encode(0x67, tlv.EncodeInt(2), tlv.Encode(0x5F43, jpegLike()), tlv.Encode(0x5F43, []byte("odd")))
	images, ds, err := ParseDG7(b)
	if err != nil || len(images) != 2 || !bytes.Equal(images[0].Reveal(), jpegLike()) || len(ds) != 1 || ds[0].Code != deviation.DG2ImageType {
		t.Errorf("%d images, %v, %v", len(images), ds, err)
	}
	if _, _, err := ParseDG7(tlv.Encode(0x67, tlv.EncodeInt(0))); !errors.Is(err, ErrNoImage) {
		t.Errorf("no image: %v", err)
	}
	many := tlv.Encode(0x67, bytes.Repeat(tlv.Encode(0x5F43, []byte{1}), maxItems+1))
	if _, _, err := ParseDG7(many); !errors.Is(err, tlv.ErrCount) {
		t.Errorf("too many: %v", err)
	}
}

func TestDG16HoldsPersonsToNotify(t *testing.T) {
	t.Parallel()
	b := tlv.Encode(0x70, tlv.EncodeInt(1), tlv.Encode(0xA1, tlv.Encode(0x5F50, []byte("20020101")), tlv.Encode(0x5F51, []byte("SMITH<<CHARLES<R")),
		tlv.Encode(0x5F52, []byte("19525551212")), tlv.Encode(0x5F53, []byte("123 MAPLE RD<ANYTOWN")))) // the example of Doc 9303-10 §4.7.16
	people, ds, err := ParseDG16(b)
	if err != nil || len(people) != 1 || len(ds) != 0 {
		t.Fatalf("%d, %v, %v", len(people), ds, err)
	}
	if p := people[0]; p.RecordedOn.Reveal() != "2002-01-01" || p.Name.Reveal() != "SMITH CHARLES R" || p.Address.Reveal() != "123 MAPLE RD, ANYTOWN" {
		t.Error("read wrongly")
	}
}

func TestCardSecurityMustBeSignedData(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{nil, {0x31, 0x00}, make([]byte, MaxFile+1)} {
		if _, _, err := ParseCardSecurity(b); err == nil || !strings.Contains(err.Error(), "CardSecurity") {
			t.Errorf("%d octets: %v", len(b), err)
		}
	}
}
