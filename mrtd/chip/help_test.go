package chip_test

import "ipse/internal/pii"

func text(s string) pii.Text { return pii.NewText(s) }
