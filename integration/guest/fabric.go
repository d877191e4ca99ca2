package guest

// Fabric is the network of one case.
type Fabric struct{}
