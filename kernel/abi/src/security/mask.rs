//! Sets of bits: inheritance, control bits, parts of a descriptor.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

flags! {
    /// How an entry is inherited, and which outcomes it audits (`ACE_HEADER::AceFlags`).
    AceFlags: u8 {
        /// Objects that hold no others inherit it.
        OBJECT_INHERIT = 0x01;
        /// Containers inherit it.
        CONTAINER_INHERIT = 0x02;
        /// Whoever inherits it does not pass it on.
        NO_PROPAGATE_INHERIT = 0x04;
        /// It is for inheriting alone and says nothing of the object that has it.
        INHERIT_ONLY = 0x08;
        /// It was inherited.
        INHERITED = 0x10;
        /// The bits of inheritance (`VALID_INHERIT_FLAGS`).
        VALID_INHERIT_FLAGS = 0x1F;
        /// An audit entry: of access that is granted.
        SUCCESSFUL_ACCESS = 0x40;
        /// An audit entry: of access that is refused.
        FAILED_ACCESS = 0x80;
    }

    /// Which GUIDs an object entry has.
    ObjectAceFlags: u32 {
        /// One that says what part of the object it is about.
        OBJECT_TYPE_PRESENT = 1;
        /// One that says which types of object inherit it.
        INHERITED_OBJECT_TYPE_PRESENT = 2;
    }

    /// What a label forbids those below it (the mask of a mandatory label entry).
    MandatoryLabelPolicy: u32 {
        /// Writing.
        NO_WRITE_UP = 1;
        /// Reading.
        NO_READ_UP = 2;
        /// Executing.
        NO_EXECUTE_UP = 4;
    }

    /// The control bits of a security descriptor (`SECURITY_DESCRIPTOR_CONTROL`).
    DescriptorControl: u16 {
        /// The owner comes from a default.
        OWNER_DEFAULTED = 0x0001;
        /// The group comes from a default.
        GROUP_DEFAULTED = 0x0002;
        /// It has a DACL, maybe a null one.
        DACL_PRESENT = 0x0004;
        /// The DACL comes from a default.
        DACL_DEFAULTED = 0x0008;
        /// It has a SACL, maybe a null one.
        SACL_PRESENT = 0x0010;
        /// The SACL comes from a default.
        SACL_DEFAULTED = 0x0020;
        /// Its provider asks that the DACL be passed on to existing children.
        DACL_AUTO_INHERIT_REQ = 0x0100;
        /// Its provider asks that the SACL be passed on to existing children.
        SACL_AUTO_INHERIT_REQ = 0x0200;
        /// The DACL tells inherited entries from others.
        DACL_AUTO_INHERITED = 0x0400;
        /// The SACL tells inherited entries from others.
        SACL_AUTO_INHERITED = 0x0800;
        /// The DACL inherits nothing.
        DACL_PROTECTED = 0x1000;
        /// The SACL inherits nothing.
        SACL_PROTECTED = 0x2000;
        /// The resource manager's byte has a meaning.
        RM_CONTROL_VALID = 0x4000;
        /// Its parts follow it, and it has offsets in place of pointers.
        SELF_RELATIVE = 0x8000;
    }

    /// Parts of a security descriptor that are queried or set (`SECURITY_INFORMATION`).
    SecurityInformation: u32 {
        /// The owner.
        OWNER = 0x0000_0001;
        /// The primary group.
        GROUP = 0x0000_0002;
        /// The DACL.
        DACL = 0x0000_0004;
        /// The SACL; to set it alone leaves the label as it is.
        SACL = 0x0000_0008;
        /// The SACL's integrity label.
        LABEL = 0x0000_0010;
        /// The SACL's resource attributes.
        ATTRIBUTE = 0x0000_0020;
        /// The SACL's central access policy.
        SCOPE = 0x0000_0040;
        /// Everything, for a backup.
        BACKUP = 0x0001_0000;
        /// The SACL inherits again.
        UNPROTECTED_SACL = 0x1000_0000;
        /// The DACL inherits again.
        UNPROTECTED_DACL = 0x2000_0000;
        /// The SACL inherits nothing from now on.
        PROTECTED_SACL = 0x4000_0000;
        /// The DACL inherits nothing from now on.
        PROTECTED_DACL = 0x8000_0000;
    }

    /// How a new object's descriptor is made from its parent's (`SEF_*`).
    AutoInheritFlags: u32 {
        /// The DACL gets the parent's entries too, marked as inherited.
        DACL_AUTO_INHERIT = 0x0001;
        /// The SACL gets the parent's entries too, marked as inherited.
        SACL_AUTO_INHERIT = 0x0002;
        /// The creator's descriptor is a default of the object's type: what is inherited replaces it.
        DEFAULT_DESCRIPTOR_FOR_OBJECT = 0x0004;
        /// The creator's privileges are not looked at.
        AVOID_PRIVILEGE_CHECK = 0x0008;
        /// Whether the creator may name that owner is not looked at.
        AVOID_OWNER_CHECK = 0x0010;
        /// Without an owner of its own it gets the parent's.
        DEFAULT_OWNER_FROM_PARENT = 0x0020;
        /// Without a group of its own it gets the parent's.
        DEFAULT_GROUP_FROM_PARENT = 0x0040;
    }
}
