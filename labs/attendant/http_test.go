package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

type httpValue struct {
	Answers  []httpAnswer `json:"answers"`
	Failed   int          `json:"failed"`
	Distinct []string     `json:"distinct"`
}

func httpAsk(t *testing.T, request string) httpValue {
	t.Helper()
	t.Setenv(hostsVar, "")
	answer := answerOne(askOf("http", request, 10))
	var value httpValue
	if !answer.OK || json.Unmarshal(answer.Value, &value) != nil {
		t.Fatalf("%+v", answer)
	}
	return value
}

func TestHTTPCountsAnswersAndTellsThemApart(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%4 == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, r.Method, r.Header.Get("X-Who"), asked.Load()%2)
	}))
	defer server.Close()
	value := httpAsk(t, `{"url": "`+server.URL+`", "method": "POST", "headers": {"X-Who": "me"}, "times": 8}`)
	if len(value.Answers) != 6 || value.Failed != 2 || len(value.Distinct) != 2 {
		t.Fatalf("%+v", value)
	}
	if value.Answers[0].Status != http.StatusTeapot || value.Answers[0].Body != "POSTme1" {
		t.Fatalf("%+v", value.Answers[0])
	}
	if value := httpAsk(t, `{"url": "`+server.URL+`", "times": 8, "every_ms": 5}`); len(value.Answers)+value.Failed != 8 {
		t.Fatalf("%+v", value)
	}
}

func TestHTTPStaysWhereItIsAndSmall(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		fmt.Fprint(w, strings.Repeat("x", 3<<20))
	}))
	defer server.Close()
	if value := httpAsk(t, `{"url": "`+server.URL+`/away"}`); value.Answers[0].Status != http.StatusFound {
		t.Fatalf("%+v", value.Answers)
	}
	value := httpAsk(t, `{"url": "`+server.URL+`", "times": 30}`)
	total := 0
	for _, answer := range value.Answers {
		total += len(answer.Body)
	}
	if len(value.Answers) != 30 || len(value.Answers[0].Body) != mostBody || total > mostBodies {
		t.Fatalf("%d answers of %d bytes", len(value.Answers), total)
	}
}

func TestHTTPFromAContainerThatIsNotThereFails(t *testing.T) {
	labWith(t, http.NotFoundHandler())
	answer := answerOne(askOf("http", `{"url": "http://api/", "from": "gone"}`, 5))
	if !answer.OK || string(answer.Value) != `{"answers":[],"failed":1,"distinct":[]}` {
		t.Fatalf("%+v %s", answer, answer.Value)
	}
}

// nameServer answers one question with a pointer to the name, a CNAME first and then an address.
type nameServer struct{ question []byte }

func (s *nameServer) Write(text []byte) (int, error) {
	s.question = append([]byte(nil), text...)
	return len(text), nil
}

func (s *nameServer) Read(into []byte) (int, error) {
	reply := append([]byte(nil), s.question...)
	reply[2] |= 0x80
	binary.BigEndian.PutUint16(reply[6:], 2)
	reply = append(reply, 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 3, 1, 'b', 0)
	reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 172, 18, 0, 2)
	return copy(into, reply), nil
}

func TestNamesAreFoundInADatagram(t *testing.T) {
	address, err := lookUp(&nameServer{}, "api.n1")
	if err != nil || !address.Equal(net.IPv4(172, 18, 0, 2)) {
		t.Fatal(address, err)
	}
	if _, err := nameQuestion("a..b"); err == nil {
		t.Fatal("an empty label was taken")
	}
}

func FuzzAddressIn(f *testing.F) {
	question, err := nameQuestion("api")
	if err != nil {
		f.Fatal(err)
	}
	server := &nameServer{question: question}
	reply := make([]byte, 512)
	n, _ := server.Read(reply)
	f.Add(reply[:n])
	f.Fuzz(func(t *testing.T, reply []byte) {
		if address, err := addressIn(reply, len(question)); err == nil && len(address) != net.IPv4len {
			t.Fatalf("%v", address)
		}
	})
}
