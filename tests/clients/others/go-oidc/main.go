// go-oidc with golang.org/x/oauth2, with their defaults.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type session struct {
	state, nonce, verifier, idToken string
	pupil                           map[string]any
}

func main() {
	self := os.Getenv("SELF")
	broker, err := oidc.NewProvider(context.Background(), os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	client := oauth2.Config{
		ClientID:     "example-others",
		ClientSecret: "only-for-the-demo",
		Endpoint:     broker.Endpoint(),
		RedirectURL:  self + "/callback",
		Scopes:       []string{oidc.ScopeOpenID},
	}
	verifier := broker.Verifier(&oidc.Config{ClientID: client.ClientID})
	var told struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := broker.Claims(&told); err != nil {
		log.Fatal(err)
	}
	sessions := map[string]*session{}

	find := func(w http.ResponseWriter, r *http.Request) *session {
		if sent, err := r.Cookie("example-others"); err == nil && sessions[sent.Value] != nil {
			return sessions[sent.Value]
		}
		name := rand.Text()
		http.SetCookie(w, &http.Cookie{Name: "example-others", Value: name, Path: "/", HttpOnly: true})
		sessions[name] = &session{}
		return sessions[name]
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(find(w, r).pupil)
	})
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		held := find(w, r)
		held.state, held.nonce, held.verifier = rand.Text(), rand.Text(), oauth2.GenerateVerifier()
		to := client.AuthCodeURL(held.state, oidc.Nonce(held.nonce), oauth2.S256ChallengeOption(held.verifier))
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		held := find(w, r)
		if held.state == "" || r.FormValue("state") != held.state {
			http.Error(w, "another state", http.StatusBadRequest)
			return
		}
		token, err := client.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(held.verifier))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		held.idToken, _ = token.Extra("id_token").(string)
		stated, err := verifier.Verify(r.Context(), held.idToken)
		if err != nil || stated.Nonce != held.nonce {
			http.Error(w, "no ID token for us", http.StatusBadGateway)
			return
		}
		about, err := broker.UserInfo(r.Context(), oauth2.StaticTokenSource(token))
		if err != nil || about.Claims(&held.pupil) != nil {
			http.Error(w, "no userinfo", http.StatusBadGateway)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		held := find(w, r)
		asked := url.Values{"id_token_hint": {held.idToken}, "post_logout_redirect_uri": {self + "/"}}
		held.pupil = nil
		http.Redirect(w, r, told.EndSession+"?"+asked.Encode(), http.StatusSeeOther)
	})
	_, port, _ := strings.Cut(strings.TrimPrefix(self, "http://"), ":")
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
