package guest

import "errors"

func newVM(Spec) (Machine, error) { return nil, errors.ErrUnsupported }
