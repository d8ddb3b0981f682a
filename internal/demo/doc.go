// Package demo holds two services of Utopia, a country that exists in specimen
// passports only: a tax office and a family-allowance office. They are ordinary
// OpenID Connect clients, written with the client libraries that any Go service
// would use, and know nothing of Ipse but its address: what they do, every
// service can do. login.go is the part to copy.
//
// Each has its own pages, in English and French, so that it is plain that they
// are other people's services. Sessions live in memory and end with the process.
package demo
