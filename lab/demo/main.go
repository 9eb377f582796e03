// A small shop with an echo v2 server. The list of customers is for staff: its route has a check of
// its own, behind the three steps that all routes of /api share. The status page is for everybody and
// counts its visitors instead.
//
// With echo v2.0.1 the list is open to everybody. The fault is not in this file: both routes keep a
// slice that begins with the same three steps, in one array with one spare slot. When the second route
// is added, its step is written into the slot where the first route keeps the check.
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo"
	"github.com/labstack/echo/engine/standard"
)

// step is a middleware with nothing to do but to be there.
func step(name string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Add("X-Step", name)
			return next(c)
		}
	}
}

func onlyStaff(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Header().Get("Authorization") != "Bearer staff" {
			return echo.NewHTTPError(http.StatusUnauthorized, "staff only")
		}
		return next(c)
	}
}

var visits int

func countVisits(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		visits++
		return next(c)
	}
}

func customers(c echo.Context) error {
	return c.String(http.StatusOK, "ann@example.com, bob@example.com")
}

func status(c echo.Context) error { return c.String(http.StatusOK, "open") }

func newShop() http.Handler {
	e := echo.New()
	api := e.Group("/api")
	api.Use(step("request id"))
	api.Use(step("compression"))
	api.Use(step("access log"))
	api.GET("/customers", customers, onlyStaff)
	api.GET("/status", status, countVisits)

	server := standard.New("")
	server.SetHandler(e)
	return server
}

func main() {
	shop := newShop()
	answer := httptest.NewRecorder()
	shop.ServeHTTP(answer, httptest.NewRequest("GET", "/api/customers", nil)) // without a token

	fmt.Printf("GET /api/customers as a stranger: %d %s\n", answer.Code, answer.Body)
	if answer.Code != http.StatusUnauthorized {
		fmt.Printf("WRONG: want %d\n", http.StatusUnauthorized)
		return
	}
	fmt.Println("OK")
}
