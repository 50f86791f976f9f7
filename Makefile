# The front door. `make up` runs the main job, `make test` the tests; nothing else need be set up.

MAINSTAY := target/release/mainstay
SOURCE ?= examples/enterprise
WAIT ?= 120s
PORT ?= 6443

.PHONY: up down status test soak lint fuzz bench build

up: build ## Bring the platform of SOURCE up and return when it is ready.
	@$(MAINSTAY) up $(SOURCE) --detach --wait $(WAIT) --api-port $(PORT)

down: ## End it.
	@$(MAINSTAY) down

status: ## How it stands.
	@$(MAINSTAY) status

build: ## Build the optimised binary (the first time takes minutes).
	@cargo build --release --locked --package mainstay

test: ## All tests, a fixed slice of seeds, kills and fuzz cases among them.
	@.ci/test

soak: ## The long runs, optimised: 1,000 seeds of the faulty disk, 20 kills under load, 200 first hours.
	@.ci/soak

FUZZ_SECONDS ?= 120

fuzz: ## Every fuzz target for FUZZ_SECONDS (needs a nightly compiler and cargo-fuzz).
	@.ci/fuzz $(FUZZ_SECONDS)

lint: ## Format, clippy, tidy, licences.
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@cargo xtask tidy
	@if command -v cargo-deny >/dev/null 2>&1; then cargo deny --locked check bans licenses sources; \
	 else echo "skipped: cargo-deny is not installed (cargo install cargo-deny)"; fi

bench: ## What requests, pods and a rollout cost, as JSON (minutes).
	@cargo build --release --locked --package mainstay --package mainstay-bench
	@target/release/mainstay-bench
