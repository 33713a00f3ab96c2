package plane

import (
	"context"
	"errors"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	messenger   = "naru-told" // a lease: those may be written while a state is loaded
	toldLeast   = time.Second
	toldPerWay  = 4 // how much longer than one news takes the last of them may take on a busy machine
	toldAtLast  = 20 * time.Second
	endedWithin = 5 * time.Second
)

// Told returns once whoever watches the cluster has heard of all that was written before. It sends one change the way that
// all news take and waits for several times as long as that took: how busy the machine is decides, no fixed time.
func Told(ctx context.Context, client kubernetes.Interface) error {
	ctx, cancel := context.WithTimeout(ctx, toldAtLast)
	defer cancel()
	leases := client.CoordinationV1().Leases(metav1.NamespaceSystem)
	remove := func(ctx context.Context) error {
		if err := leases.Delete(ctx, messenger, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	}
	if err := remove(ctx); err != nil {
		return err
	}
	began := time.Now()
	sent, err := leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: messenger}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endedWithin)
		defer cancel()
		_ = remove(ctx) // the next one removes it otherwise
	}()
	// From the beginning: the watch starts with what is there, once the API server's own watch has brought it.
	news, err := leases.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + messenger})
	if err != nil {
		return err
	}
	defer news.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-news.ResultChan():
			if !open {
				return errors.New("the watch ended before its news came")
			}
			if lease, is := event.Object.(*coordinationv1.Lease); !is || lease.UID != sent.UID {
				continue
			}
		}
		break
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(toldLeast + toldPerWay*time.Since(began)):
		return nil
	}
}
