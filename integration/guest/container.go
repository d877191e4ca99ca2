package guest

import "errors"

func newContainer(Spec) (Machine, error) { return nil, errors.ErrUnsupported }
