package main

import (
	"context"
	"encoding/json"
	"syscall"
)

func hostCommand([]string) int                                           { return 1 }
func putCommand([]string) int                                            { return 1 }
func saveCommand([]string) int                                           { return 1 }
func loadCommand([]string) int                                           { return 1 }
func eventsCommand([]string) int                                         { return 1 }
func shellCommand([]string) int                                          { return 1 }
func freeCommand([]string) int                                           { return 1 }
func hangupCommand([]string) int                                         { return 1 }
func statsCommand([]string) int                                          { return 1 }
func checkCommand([]string) int                                          { return 1 }
func askRegistry(ctx context.Context, text json.RawMessage) (any, error) { return nil, nil }
func askHTTP(ctx context.Context, text json.RawMessage) (any, error)     { return nil, nil }
func askBuild(ctx context.Context, text json.RawMessage) (any, error)    { return nil, nil }
func askRead(ctx context.Context, text json.RawMessage) (any, error)     { return nil, nil }
func (l *lab) startHost(h host) (<-chan syscall.WaitStatus, error)       { return nil, nil }
func (l *lab) makeNetwork() error                                        { return nil }
