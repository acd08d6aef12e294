//! The addresses of a subnet: which are taken, and which come next.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::call::{Parameters, Refusal};

/// The addresses of a range that interfaces can have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AddressPool {
    range: Ipv4Net,
    taken: BTreeSet<Ipv4Addr>,
    /// Where the search for the next address begins, so that it need not pass all that are taken.
    next: Ipv4Addr,
}

/// The first addresses of a range, which nobody can have; nor can the last one be had ("Subnet
/// CIDR blocks", VPC user guide).
const RESERVED: u32 = 4;

impl AddressPool {
    /// Makes a pool of which nothing is taken.
    pub(super) fn new(range: Ipv4Net) -> Self {
        Self { range, taken: BTreeSet::new(), next: first(range) }
    }

    /// Returns how many addresses are left.
    pub(super) fn available(&self) -> usize {
        let all = u32::from(last(self.range)) - u32::from(first(self.range)) + 1;
        usize::try_from(all).unwrap_or(usize::MAX) - self.taken.len()
    }

    /// Takes the address that is wanted, or any.
    ///
    /// # Errors
    /// If the address is not to be had, or none is left.
    pub(super) fn take(&mut self, wanted: Option<Ipv4Addr>) -> Result<Ipv4Addr, Refusal> {
        match wanted {
            Some(address) => self.take_this(address),
            None => self.take_any(),
        }
    }

    fn take_any(&mut self) -> Result<Ipv4Addr, Refusal> {
        let (first, next, last) = (first(self.range), self.next, last(self.range));
        let numbers = (u32::from(next)..=u32::from(last)).chain(u32::from(first)..u32::from(next));
        let free = numbers.map(Ipv4Addr::from).find(|address| !self.taken.contains(address));
        let address = free.ok_or_else(|| {
            let message = "The specified subnet does not have enough free addresses to satisfy the request.";
            Refusal::new("InsufficientFreeAddressesInSubnet", message)
        })?;
        self.taken.insert(address);
        // The address after the last one is a reserved one: the search then begins anew.
        self.next = Ipv4Addr::from(u32::from(address) + 1);
        Ok(address)
    }

    fn take_this(&mut self, address: Ipv4Addr) -> Result<Ipv4Addr, Refusal> {
        if !self.range.contains(&address) {
            return Err(invalid("Address does not fall within the subnet's address range"));
        }
        if address < first(self.range) || address > last(self.range) {
            return Err(invalid("Address is in subnet's reserved address range"));
        }
        if !self.taken.insert(address) {
            return Err(Refusal::new("InvalidIPAddress.InUse", format!("Address {address} is in use.")));
        }
        Ok(address)
    }

    /// Gives an address back.
    pub(super) fn give_back(&mut self, address: Ipv4Addr) {
        self.taken.remove(&address);
    }
}

/// Returns a parameter that is an address; absent is `None`.
pub(super) fn address(parameters: &Parameters, name: &str) -> Result<Option<Ipv4Addr>, Refusal> {
    parameters.text(name).map(|text| parse(name, text)).transpose()
}

/// Returns a parameter that is a list of addresses.
pub(super) fn addresses(parameters: &Parameters, name: &str) -> Result<Vec<Ipv4Addr>, Refusal> {
    parameters.texts(name).into_iter().map(|text| parse(name, text)).collect()
}

fn parse(name: &str, text: &str) -> Result<Ipv4Addr, Refusal> {
    text.parse().map_err(|_| Refusal::value(name, text))
}

fn first(range: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(range.network()) + RESERVED)
}

fn last(range: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(range.broadcast()) - 1)
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> AddressPool {
        AddressPool::new("10.0.0.16/28".parse().expect("it is a range"))
    }

    fn address(text: &str) -> Ipv4Addr {
        text.parse().expect("it is an address")
    }

    #[test]
    fn a_pool_ends_and_takes_back() {
        let mut pool = pool();
        assert_eq!(pool.available(), 11);
        for number in 20..31 {
            assert_eq!(pool.take(None), Ok(Ipv4Addr::new(10, 0, 0, number)));
        }
        assert_eq!(pool.available(), 0);
        let refusal = pool.take(None).expect_err("nothing is left");
        assert_eq!(refusal.code, "InsufficientFreeAddressesInSubnet");
        pool.give_back(address("10.0.0.22"));
        assert_eq!(pool.take(None), Ok(address("10.0.0.22")));
    }

    #[test]
    fn one_address_is_had_once_and_reserved_ones_never() {
        let mut pool = pool();
        assert_eq!(pool.take(Some(address("10.0.0.20"))), Ok(address("10.0.0.20")));
        for (text, code) in [
            ("10.0.0.20", "InvalidIPAddress.InUse"),
            ("10.0.0.19", "InvalidParameterValue"),
            ("10.0.0.31", "InvalidParameterValue"),
            ("10.0.1.1", "InvalidParameterValue"),
        ] {
            assert_eq!(pool.take(Some(address(text))).expect_err(text).code, code);
        }
        assert_eq!(pool.take(None), Ok(address("10.0.0.21")));
    }
}
